#!/bin/sh
# SPDX-License-Identifier: MIT
# Every scenario that tests/solver/notes.txt names is there, and there are as many as were promised.
. "${top_srcdir:?}/tests/lint/lib.sh"

rule "every row of tests/solver/notes.txt has its scenario" \
	"$(grep -v '^#' tests/solver/notes.txt | grep . | while IFS= read -r line; do
		row=${line%% | *}
		scenario=${line#* | }
		file=tests/solver/${scenario%%: *}
		grep -qxF "@case ${scenario#*: }" "$file" 2>/dev/null || echo "$row: no '$scenario'"
	done)"
rule "no scenario stands twice in one file" \
	"$(for file in tests/solver/*.case; do
		grep '^@case ' "$file" | sort | uniq -d | sed "s|^|$file: |"
	done)"
count=$(cat tests/solver/*.case | grep -c '^@case ')
rule "there are at least 150 scenarios" "$([ "$count" -ge 150 ] || echo "$count")"
refused=$(cat tests/solver/*.case | grep -c '^error ')
rule "at least 40 of them are refusals" "$([ "$refused" -ge 40 ] || echo "$refused")"
finish
