#!/bin/sh
# SPDX-License-Identifier: MIT
# Options and pages, both ways: what `PROGRAM COMMAND --help` lists has an item in the command's page,
# and what the page lists the command takes.
. "${top_srcdir:?}/tests/lint/lib.sh"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# Long options at the start of a help line: "  -l, --list   ...", "      --until DATE ...".
help_options() {
	sed -nE 's/^ +(-[A-Za-z0-9], )?--([a-z][a-z0-9-]*).*/\2/p' | sort -u
}
# ".It Fl l , Fl -list", ".It Fl -until Ar DATE"
page_options() {
	[ ! -f "$1" ] || grep -E '^\.It Fl ' "$1" | grep -oE 'Fl -[a-z][a-z0-9-]*' | sed 's/^Fl -//' | sort -u
}
# Those of the synopsis, long or as the letter that its item has: "Fl k", ".It Fl k , Fl -key Ar FILE"
synopsis_options() {
	awk '/^\.Sh / { in_synopsis = $2 == "SYNOPSIS" } in_synopsis' "$1" |
		grep -oE 'Fl -?[A-Za-z0-9][a-z0-9-]*' >"$dir/flags"
	sed -n 's/^Fl -//p' "$dir/flags"
	sed -nE 's/^\.It Fl ([A-Za-z0-9]) , Fl -([a-z][a-z0-9-]*).*/Fl \1 \2/p' "$1" |
		while read -r _ letter long; do
			if grep -qx "Fl $letter" "$dir/flags"; then echo "$long"; fi
		done
}
# The commands as the program lists them: "  install   add plugins"; hidden ones are not there.
commands_of() {
	"$1" --help 2>/dev/null </dev/null | sed -nE 's/^  ([a-z][a-z-]*)( .*|$)/\1/p' | sort -u
}

for program in plugpkg plugpkg-repo; do
	: >"$dir/all"
	exe=${top_builddir:?}/$program
	[ -x "$exe" ] || {
		rule "$program is built" "$exe is missing"
		continue
	}
	"$exe" --help </dev/null 2>/dev/null | help_options >"$dir/common"
	page_options "man/$program.1" >"$dir/common-page"
	commands=$(commands_of "$exe")
	rule "$program --help lists commands" "$([ -n "$commands" ] || echo none)"
	rule "$program(1) lists the common options" "$(comm -23 "$dir/common" "$dir/common-page")"
	for command in $commands; do
		# A command may have subcommands of one page; the common options are on the main page.
		page=man/$program-$command.1
		[ -f "$page" ] || page=man/$program.1
		"$exe" "$command" --help </dev/null 2>/dev/null | help_options >"$dir/help"
		page_options "$page" >"$dir/page"
		sort -u "$dir/page" "$dir/common-page" >"$dir/known"
		rule "$page lists the options of $program $command" \
			"$([ -s "$dir/help" ] || echo "$program $command --help lists no option"
			comm -23 "$dir/help" "$dir/known")"
		cat "$dir/help" >>"$dir/all"
		[ "$page" != "man/$program.1" ] || continue
		synopsis_options "$page" | sort -u >"$dir/synopsis"
		rule "the synopsis of $page has its options" "$(comm -23 "$dir/page" "$dir/synopsis")"
		rule "$program $command takes the options of $page" "$(comm -13 "$dir/help" "$dir/page")"
	done
	sort -u "$dir/all" "$dir/common" >"$dir/taken"
	rule "$program takes the options of man/$program.1" "$(comm -13 "$dir/taken" "$dir/common-page")"
	if [ "$program" = plugpkg ]; then
		rule "every command has its page" "$(for command in $commands; do
			[ -f "man/plugpkg-$command.1" ] || echo "man/plugpkg-$command.1"
		done)"
		rule "every command has its test" "$(for command in $commands; do
			grep -rqE "plugpkg $command( |\$|\")" tests/e2e tests/helpers.bash || echo "$command"
		done)"
	fi
done
finish
