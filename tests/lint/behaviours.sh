#!/bin/sh
# SPDX-License-Identifier: MIT
# Every test that tests/e2e/behaviours.txt and trust.txt name is there, and no number was left out of them.
. "${top_srcdir:?}/tests/lint/lib.sh"

behaviours=tests/e2e/behaviours.txt
attacks=tests/e2e/trust.txt

rows() {
	grep -hv '^#' "$@" | grep .
}
# all PREFIX FIRST LAST
all() {
	seq -f "$1-%02g" "$2" "$3"
}
# without_row TABLE: of the numbers that are read, those that it lacks
without_row() {
	while IFS= read -r id; do
		grep -q "^$id: " "$1" || echo "$id"
	done
}

rule "every row has its test" \
	"$(rows "$behaviours" "$attacks" | while IFS= read -r line; do
		row=${line%% | *}
		shown=${line#* | }
		case $shown in none:\ ?*) continue ;; esac
		file=tests/e2e/${shown%%: *}
		grep -qxF "@test \"${shown#*: }\" {" "$file" 2>/dev/null || echo "$row: no '$shown'"
	done)"
rule "the test of a row of the attack list carries its number" \
	"$(grep '^S-' "$attacks" | grep -vE '^S-([0-9]{2}): .* \| [a-z-]+\.bats: (S[0-9]{2} )*S\1[ :]')"
rule "every behaviour has a row" \
	"$({ all S0 60 92 && all S1 10 46 && all S4 1 28; } | without_row "$behaviours")"
rule "every attack has a row" "$({ all T 1 24 && all S 1 60; } | without_row "$attacks")"
rule "no row stands twice" "$(rows "$behaviours" "$attacks" | sort | uniq -d)"
finish
