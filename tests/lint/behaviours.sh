#!/bin/sh
# SPDX-License-Identifier: MIT
# Every test that tests/e2e/behaviours.txt names is there, and no behaviour was left out of it.
. "${top_srcdir:?}/tests/lint/lib.sh"

table=tests/e2e/behaviours.txt

rows() {
	grep -v '^#' "$table" | grep .
}

rule "every row of behaviours.txt has its test" \
	"$(rows | while IFS= read -r line; do
		row=${line%% | *}
		shown=${line#* | }
		case $shown in none:\ ?*) continue ;; esac
		file=tests/e2e/${shown%%: *}
		grep -qxF "@test \"${shown#*: }\" {" "$file" 2>/dev/null || echo "$row: no '$shown'"
	done)"
# all PREFIX FIRST LAST
all() {
	seq -f "$1-%02g" "$2" "$3"
}
rule "every behaviour has a row" \
	"$({ all S0 60 92 && all S1 10 46 && all S4 1 28; } | while IFS= read -r id; do
		grep -q "^$id: " "$table" || echo "$id"
	done)"
rule "no row stands twice" "$(rows | sort | uniq -d)"
finish
