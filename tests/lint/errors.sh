#!/bin/sh
# SPDX-License-Identifier: MIT
# Error codes: the enum, the table of names, plugpkg-errors(7) and the tests know the same ones.
. "${top_srcdir:?}/tests/lint/lib.sh"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
sed -n '/^enum plugpkg_code {/,/^};/p' include/plugpkg.h |
	sed -nE 's/^	(PLUGPKG_(OK|E_[A-Z0-9_]+)).*/\1/p' | sort >"$dir/enum"
grep -v '^PLUGPKG_OK$' "$dir/enum" >"$dir/codes"
table=src/lib/model/error.c
# [PLUGPKG_E_SIGNATURE] = { "signature-invalid", 6 },
sed -nE 's/^	\[(PLUGPKG_[A-Z0-9_]+)\] = \{ *"([a-z-]+)", *([0-9]+).*/\1 \2 \3/p' "$table" | sort \
	>"$dir/table"

rule "every code has a name and an exit status in $table" \
	"$(cut -d ' ' -f 1 "$dir/table" | comm -3 "$dir/enum" -)"
rule "no two codes share a name" "$(cut -d ' ' -f 2 "$dir/table" | sort | uniq -d)"

page=man/plugpkg-errors.7
if [ -f "$page" ]; then
	grep -v '^PLUGPKG_OK ' "$dir/table" | cut -d ' ' -f 2 | sort >"$dir/names"
	# .It Cm signature-invalid Pq exit status 6
	sed -nE 's/^\.It (Cm|Er|Sy|Ic|Li|Dv) ([a-z-]+)( .*)?$/\2/p' "$page" | sort >"$dir/page"
	rule "every error name has a paragraph in $page" "$(comm -23 "$dir/names" "$dir/page")"
	rule "$page explains no error that does not exist" "$(comm -13 "$dir/names" "$dir/page")"
	wrong=$(while read -r code name status; do
		[ "$code" != PLUGPKG_OK ] || continue
		line=$(grep -E "^\.It [A-Z][a-z] $name( |\$)" "$page" | head -n 1)
		case $line in
		*[0-9]*) ;;
		*) continue ;;
		esac
		printf '%s\n' "$line" | grep -qE "(^|[^0-9])$status([^0-9]|\$)" ||
			echo "$name: exit status is $status, the page says: $line"
	done <"$dir/table")
	rule "$page gives each its exit status" "$wrong"
else
	rule "there is a page of errors" "$page is missing"
fi

tests=$(find tests -name '*.c' -o -name '*.bats' -o -name '*.case')
rule "every code is provoked by a test" "$(while read -r code; do
	name=$(sed -n "s/^$code \([a-z-]*\) .*/\1/p" "$dir/table")
	# shellcheck disable=SC2086 # the list is words
	grep -qE "$code([^A-Z_]|\$)|\[${name:-none}\]|\"${name:-none}\"" $tests /dev/null || echo "$code ($name)"
done <"$dir/codes")"
finish
