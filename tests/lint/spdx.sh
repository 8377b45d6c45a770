#!/bin/sh
# SPDX-License-Identifier: MIT
# Every source file starts with its licence line, and every C file says what it owns.
. "${top_srcdir:?}/tests/lint/lib.sh"

files=$({
	c_files src include tests
	find m4 -name 'pp-*.m4'
	find tests -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -name '*.py' -o -name '*.js' |
		grep -v '^tests/data/'
	find man -name '*.[1-9]' 2>/dev/null
	echo configure.ac
	echo Makefile.am
	echo bootstrap
	[ ! -f .ci/run ] || echo .ci/run
} | sort)
rule "every source has its SPDX line among the first three" "$(for file in $files; do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file"
done)"
rule "every C file of src and include begins with it and says what it owns" \
	"$(for file in $(c_files src include); do
		[ "$(head -n 1 "$file")" = "/* SPDX-License-Identifier: MIT */" ] &&
			sed -n 2p "$file" | grep -q '^/\*' || echo "$file"
	done)"
rule "no file carries a name, a date or a copyright line" \
	"$(for file in $files; do
		grep -nEi 'copyright \(c\)|^[ #/*.\\"]*(author|created|date|@author):' "$file" /dev/null
	done)"
finish
