#!/bin/sh
# SPDX-License-Identifier: MIT
# What the shared library exports is what the headers declare, no more and no less.
. "${top_srcdir:?}/tests/lint/lib.sh"

lib=${top_builddir:?}/.libs/libplugpkg.so
[ -f "$lib" ] || {
	echo "1..0 # SKIP this build makes no shared library"
	exit 0
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# Function names follow the PLUGPKG_API mark, perhaps on the next line.
cat include/*.h | tr '\n' ' ' | sed 's/;/;\n/g' |
	sed -nE 's/.*PLUGPKG_API[^;(]*[ *](plugpkg_[a-z0-9_]+)\(.*/\1/p' | sort -u >"$dir/declared"
# Sanitizers and coverage bring symbols of their own, which begin with underscores.
${NM:-nm} -D --defined-only "$lib" | awk '$2 ~ /^[A-Z]$/ { print $3 }' | sed 's/@.*//' |
	grep -v '^_' | sort -u >"$dir/exported"

rule "every declared function is exported" "$(comm -23 "$dir/declared" "$dir/exported")"
rule "every exported symbol is declared" "$(comm -13 "$dir/declared" "$dir/exported")"
rule "the headers declare functions" "$([ -s "$dir/declared" ] || echo "none found: is this lint broken?")"
for header in include/*.h; do
	echo "#include \"$header\"" >"$dir/one.c"
	cp "$dir/one.c" "$dir/one.cc"
	rule "${header#include/} compiles by itself as C99" \
		"$(${CC:-cc} -std=c99 -Wall -Wextra -Werror -I. -Iinclude -fsyntax-only "$dir/one.c" 2>&1)"
	if command -v "${CXX:-c++}" >/dev/null 2>&1; then
		rule "${header#include/} compiles as C++" \
			"$(${CXX:-c++} -Wall -Wextra -Werror -I. -Iinclude -fsyntax-only "$dir/one.cc" 2>&1)"
	fi
done
finish
