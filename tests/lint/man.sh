#!/bin/sh
# SPDX-License-Identifier: MIT
# The man pages: clean mdoc, the fixed sections in their order, one page for every command.
. "${top_srcdir:?}/tests/lint/lib.sh"

pages=$(find man -name '*.[1-9]' 2>/dev/null | sort)
for page in $pages; do
	if command -v mandoc >/dev/null 2>&1; then
		rule "mandoc is content with $page" "$(mandoc -T lint -W warning "$page" 2>&1)"
	else
		skip_rule "mandoc is content with $page" "mandoc is not installed"
	fi
done

# What other sections call ERRORS mandoc wants as DIAGNOSTICS in section 1. The sections come in this
# order; not every page needs each.
order='NAME SYNOPSIS DESCRIPTION OPTIONS FILES EXIT_STATUS EXAMPLES DIAGNOSTICS SEE_ALSO'
misplaced=
for page in $(printf '%s\n' "$pages" | grep '\.1$'); do
	have=$(sed -n 's/^\.Sh //p' "$page" | tr ' ' '_')
	last=0
	for section in $have; do
		place=0
		i=0
		for known in $order; do
			i=$((i + 1))
			[ "$known" != "$section" ] || place=$i
		done
		[ "$place" -ne 0 ] || continue
		[ "$place" -gt "$last" ] || misplaced="$misplaced$page: $section is out of order
"
		last=$place
	done
	for section in NAME SYNOPSIS DESCRIPTION EXIT_STATUS EXAMPLES SEE_ALSO; do
		printf '%s\n' "$have" | grep -qx "$section" ||
			misplaced="$misplaced$page: no section $section
"
	done
done
rule "command pages have the fixed sections in order" "$misplaced"

# A page says its name: NAME-SECTION of the file, the title line and the first .Nm agree.
misnamed=
for page in $pages; do
	base=$(basename "$page")
	name=${base%.*}
	title=$(sed -n 's/^\.Dt \([^ ]*\) .*/\1/p' "$page")
	[ "$(printf %s "$title" | tr '[:upper:]' '[:lower:]')" = "$name" ] ||
		misnamed="$misnamed$page: .Dt says $title
"
done
rule "pages are called as their files" "$misnamed"

# Errors have the names that plugpkg-errors(7) explains.
unknown=$(for page in $(printf '%s\n' "$pages" | grep '\.1$'); do
	sed -n '/^\.Sh DIAGNOSTICS/,/^They are explained/s/^\.Cm \([a-z-]*\).*/\1/p' "$page" | while read -r name; do
		grep -q "^\.It Cm $name\( \|$\)" man/plugpkg-errors.7 || echo "$page: there is no error '$name'"
	done
done)
rule "pages name errors that are explained" "$unknown"

# Quotes end before the next begin: an Ql in the arguments of another stands in that one's.
# shellcheck disable=SC2086 # words on purpose
nested=$(grep -nE '^\.(Pq )?Ql [^ ]+ (, [^ ]|No )' $pages)
rule "quotes do not stand in quotes" "$nested"

# Cross references to pages of ours lead somewhere.
dangling=$(for page in $pages; do
	sed -nE 's/^\.Xr (plugpkg[a-z.-]*) ([0-9]).*/\1.\2/p' "$page" | sort -u | while read -r target; do
		[ -f "man/$target" ] || echo "$page: refers to $target, which is no page"
	done
done)
rule "references to our own pages lead somewhere" "$dangling"
finish
