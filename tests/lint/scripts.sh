#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs shellcheck over every shell script, bats file and example script.
. "${top_srcdir:?}/tests/lint/lib.sh"

if ! command -v shellcheck >/dev/null 2>&1; then
	skip_rule "shellcheck is content" "shellcheck is not installed"
	finish
fi
scripts=$({
	echo bootstrap
	[ ! -f .ci/run ] || echo .ci/run
	find tests -name '*.sh' -o -name '*.bash' -o -name '*.bats'
	[ ! -d repo-format ] || find repo-format -name '*.sh'
} | sort)
# SC1091: sourced files are checked by themselves. SC2030, SC2031: every bats case is a subshell.
for script in $scripts; do
	case $script in
	*.bats) options='--shell=bats --exclude=SC1091,SC2030,SC2031,SC2154,SC2314,SC2315' ;;
	*) options='--exclude=SC1091' ;;
	esac
	# shellcheck disable=SC2086 # the options are words
	rule "shellcheck is content with $script" "$(shellcheck $options --format=gcc "$script" 2>&1)"
done

# What bats lets pass silently (tried): a bare `! command` never fails a case.
rule "no bare ! command in bats files" "$(grep -rnE '^[ 	]*! ' tests/e2e || :)"
finish
