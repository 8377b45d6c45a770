#!/bin/sh
# SPDX-License-Identifier: MIT
# C files are as clang-format writes them (make format). Only version 14: others differ in detail.
. "${top_srcdir:?}/tests/lint/lib.sh"

tool=
for candidate in clang-format-14 clang-format; do
	if [ "$("$candidate" --version 2>/dev/null | sed -nE 's/.*version ([0-9]+)\..*/\1/p')" = 14 ]; then
		tool=$candidate
		break
	fi
done
if [ -z "$tool" ]; then
	skip_rule "C files are formatted" "clang-format 14 is not installed"
	finish
fi
rule "C files are formatted (make format)" "$(c_files src include tests | while read -r file; do
	"$tool" "$file" | cmp -s - "$file" || echo "$file"
done)"
finish
