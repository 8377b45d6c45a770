#!/bin/sh
# SPDX-License-Identifier: MIT
# Length and layout: 800 lines a file is the stop, 80 lines a function, 100 columns a line; and
# Makefile.am names what the tree holds.
. "${top_srcdir:?}/tests/lint/lib.sh"

rule "no C file is longer than 800 lines" \
	"$(c_files src include tests | xargs wc -l | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 }')"
rule "no function is longer than 80 lines" "$(c_files src | grep '\.c$' | xargs awk '
	/^\{/ { start = FNR }
	/^\}/ { if (start > 0 && FNR - start - 1 > 80) print FILENAME ":" start ": " FNR - start - 1
		start = 0 }')"
# shellcheck disable=SC2016 # the $ are those of patterns
rule "no function takes more than 6 parameters and the error" "$(c_files src include | xargs awk '
	# A definition or declaration starts in the first column; its list may span lines.
	FNR == 1 { text = "" }
	/^[a-z_][A-Za-z0-9_ *]*\(/ || (text != "") {
		if (text == "") at = FILENAME ":" FNR
		text = text " " $0
		if (text ~ /\)[^()]*[;{]?$/ || $0 ~ /^\{/) {
			head = text; depth = 0; commas = 0
			sub(/^[^(]*\(/, "", head)
			for (i = 1; i <= length(head); i++) {
				c = substr(head, i, 1)
				if (c == "(") depth++
				if (c == ")" && depth-- == 0) break
				if (c == "," && depth == 0) commas++
			}
			if (head ~ /plugpkg_error \*\*[a-z_]*\)/) commas--
			if (commas + 1 > 6 && text !~ /\.\.\./) print at ": " commas + 1
			text = ""
		}
	}')"
rule "C lines are 100 columns at most" \
	"$(c_files src include tests | while read -r file; do
		expand "$file" | awk -v f="$file" '{ gsub(/…|–|→|←|≤|≥|“|”|é|ü|ä|ö/, ".") } length($0) > 100 { print f ":" FNR ": " length($0) }'
	done)"
rule "no trailing blanks, every file ends with a newline" \
	"$(c_files src include tests | while read -r file; do
		grep -nE '[ 	]+$' "$file" /dev/null
		[ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at the end"
	done)"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
{
	c_files src
	find tests/unit -name 'test_*.c' | sed 's/\.c$//'
	find tests/fuzz -name 'fuzz_*.c' | sed 's/\.c$//'
	find tests/e2e -name '*.bats'
	find tests/lint -name '*.sh'
	find man -name '*.[1-9]' 2>/dev/null
} | LC_ALL=C sort >"$dir/tree"
sed -nE '/^# ---- lists/,/^# ---- flags/s/^	([^ ]+)( \\)?$/\1/p' Makefile.am >"$dir/named"
LC_ALL=C sort "$dir/named" >"$dir/listed"
rule "Makefile.am lists every source, test and page" "$(comm -23 "$dir/tree" "$dir/listed")"
rule "Makefile.am lists nothing twice" "$(uniq -d "$dir/listed")"
rule "what Makefile.am lists is there" "$(while read -r path; do
	[ -e "$path" ] || [ -e "$path.c" ] || echo "$path"
done <"$dir/named")"
rule "the lists of Makefile.am are sorted" "$(sed -n '/^# ---- lists/,/^# ---- flags/p' Makefile.am |
	LC_ALL=C awk '/^	/ { if ($1 < last) print $1 " comes after " last; last = $1; next } { last = "" }')"
finish
