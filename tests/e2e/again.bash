# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # helpers.bash comes first; SETTLED_VERB is the test file's
# What the tests share of verbs that remember that they found nothing to do.

# settle [OPTION...]: SETTLED_VERB finds nothing to do and remembers it. What has just changed is not
# relied on: until the file system's clock has gone on, nothing is remembered.
settle() {
	for _ in {1..100}; do
		run plugpkg "$SETTLED_VERB" -y "$@"
		assert_status 0
		assert_has "Nothing to do."
		if [ -e "$PLUGPKG_ROOT/var/settled" ] && is_answered "$@"; then return 0; fi
		sleep 0.2
	done
	fail "it was not remembered"
}

# is_answered [OPTION...]: is it answered by what was remembered?
is_answered() {
	plugpkg --debug "$SETTLED_VERB" -y "$@" 2>&1 |
		grep -q "nothing has changed since there was nothing to do"
}

# assert_anew WHAT [OPTION...]
assert_anew() {
	if is_answered "${@:2}"; then fail "it was answered as before: $1"; fi
}
