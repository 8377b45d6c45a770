#!/bin/sh
# SPDX-License-Identifier: MIT
# analyze.sh SRCDIR: gcc -fanalyzer, clang-tidy, cppcheck over src/, each for what it is good
# at. Run from the build directory; fails when one of them reports something.
set -u
src=$1
set -- -std=gnu11 -include config.h -I. -I"$src/include" -I"$src/src" \
	-DLIBEXECDIR='"/libexec"' -DPKGDATADIR='"/data"'
bad=0

sources=$(find "$src/src" -name '*.c' | sort)
for file in $sources; do
	"${GCC:-gcc}" "$@" -O1 -fanalyzer -Wno-analyzer-too-complex -Werror -c -o /dev/null "$file" ||
		bad=1
done
if command -v clang-tidy >/dev/null 2>&1; then
	for file in $sources; do
		clang-tidy --quiet --warnings-as-errors='*' "$file" -- "$@" || bad=1
	done
else
	echo "skipped: clang-tidy is not installed"
fi
# memleak and resourceLeak are off: cppcheck does not know the cleanup attribute. internalAstError
# too: it cannot read our loop macros.
if command -v cppcheck >/dev/null 2>&1; then
	cppcheck --quiet --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=memleak --suppress=resourceLeak --suppress=internalAstError \
		--suppress=missingIncludeSystem \
		-I "$src/include" -I "$src/src" -DPACKAGE_VERSION='"0"' "$src/src" || bad=1
else
	echo "skipped: cppcheck is not installed"
fi
exit $bad
