# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For the lints: each case is a rule, and everything a rule found is a problem line of its case.
# Sourced, with the working directory then at the top of the source tree.

: "${top_srcdir:?run this by make check, or set top_srcdir}"
: "${top_builddir:=$top_srcdir/build}"
cd "$top_srcdir" || exit 1
cases=0
failures=0

# rule NAME [PROBLEMS]: ok when there are no problems.
rule() {
	cases=$((cases + 1))
	if [ -z "${2-}" ]; then
		echo "ok $cases - $1"
		return
	fi
	failures=$((failures + 1))
	printf '%s\n' "$2" | sed 's/^/# /'
	echo "not ok $cases - $1"
}

# skip_rule NAME WHY: visible here, an error in CI, which has everything.
skip_rule() {
	if [ -n "${CI-}" ]; then
		rule "$1" "$2, and this is CI"
	else
		cases=$((cases + 1))
		echo "ok $cases - $1 # SKIP $2"
	fi
}

finish() {
	echo "1..$cases"
	exit $((failures > 0))
}

c_files() {
	find "$@" -name '*.[ch]' | sort
}

# The C files named, comments and string contents blanked, one "FILE:LINE:text" a line: rules about
# calls then do not stumble over prose.
c_code() {
	# shellcheck disable=SC2046 # the list is words
	awk '
	FNR == 1 { in_comment = 0 }
	{
		line = $0; out = ""; in_string = 0
		while (line != "") {
			two = substr(line, 1, 2); one = substr(line, 1, 1)
			if (in_comment) {
				if (two == "*/") { in_comment = 0; line = substr(line, 3) }
				else line = substr(line, 2)
			} else if (in_string) {
				if (one == "\\") { line = substr(line, 3) }
				else { if (one == quote) { in_string = 0; out = out one }; line = substr(line, 2) }
			} else if (two == "/*") { in_comment = 1; line = substr(line, 3) }
			else {
				if (one == "\"" || one == "\047") { in_string = 1; quote = one }
				out = out one; line = substr(line, 2)
			}
		}
		print FILENAME ":" FNR ":" out
	}' $(c_files "$@")
}
