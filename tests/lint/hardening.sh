#!/bin/sh
# SPDX-License-Identifier: MIT
# The programs and the library as `make install` leaves them carry every protection that the tool
# chain gives.
. "${top_srcdir:?}/tests/lint/lib.sh"

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

makefile=${top_builddir:?}/Makefile
{ [ -f "$makefile" ] && [ -f "$top_builddir/.libs/libplugpkg.so" ]; } ||
	skip_all "nothing here can be installed"
command -v readelf >/dev/null 2>&1 || skip_all "readelf is not installed"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# The make that runs this test is none of this one's business.
unset MAKEFLAGS MFLAGS MAKELEVEL
rule "it can be installed" "$(make -C "$top_builddir" install-exec "DESTDIR=$dir" >"$dir/log" 2>&1 ||
	tail -n 5 "$dir/log")"

# configured VARIABLE: as configure found it.
configured() {
	sed -n "s/^$1 = *//p" "$makefile"
}
libdir=$(make -s -C "$top_builddir" -f - said <<END 2>/dev/null
include Makefile
said: ; @echo \$(libdir)
END
)
programs=$(find "$dir" -type f \( -name plugpkg -o -name 'plugpkg-*' \) | sort)
libraries=$(find "$dir" -type f -name 'libplugpkg.so.*')
# shellcheck disable=SC2086 # the lists are words
set -- $programs $libraries
rule "four programs and a library are installed" "$([ $# -eq 5 ] || echo "found: $*")"

# lacking PATTERN READELF-OPTION FILE...: the files about which readelf says no such thing.
lacking() {
	pattern=$1 option=$2
	shift 2
	for file; do
		readelf -W "$option" "$file" | grep -qE "$pattern" || echo "${file##*/}"
	done
}

# having PATTERN READELF-OPTION FILE...: the lines that match, after the file's name.
having() {
	pattern=$1 option=$2
	shift 2
	for file; do
		readelf -W "$option" "$file" | grep -E "$pattern" | sed "s|^|${file##*/}: |"
	done
}

# shellcheck disable=SC2086
rule "programs load at a random address (PIE)" "$(lacking 'FLAGS_1.* PIE' -d $programs)"
rule "no code has to be changed when it is loaded" "$(having 'TEXTREL' -d "$@")"
rule "tables of the linker become read-only (RELRO)" "$(lacking 'GNU_RELRO' -l "$@")"
rule "all of them, as symbols are bound at start (BIND_NOW)" "$(lacking 'FLAGS_1.* NOW' -d "$@")"
rule "the stack holds no code" "$(lacking 'GNU_STACK .* RW  ' -l "$@")"
rule "no segment can be written and executed" "$(having 'LOAD .* RWE ' -l "$@")"
rule "no path to libraries but the one they are installed at" \
	"$(having 'RPATH|RUNPATH' -d "$@" | grep -vF "[$libdir]")"
rule "stacks are guarded" "$(lacking ' __stack_chk_fail' --dyn-syms "$@")"
case $(configured HARDEN_CPPFLAGS) in
*-D_FORTIFY_SOURCE=3*)
	rule "calls of the C library are checked (_FORTIFY_SOURCE)" \
		"$(lacking ' __[a-z]+_chk@' --dyn-syms "$@")"
	;;
*) echo "# not at this level of optimization, or with a sanitizer: _FORTIFY_SOURCE" ;;
esac
# Where a jump may land. The note that says so is lost where the C library's own start files lack it,
# so the landing places are counted: those start files bring a handful.
case $(configured HARDEN_CFLAGS) in
*-fcf-protection*)
	rule "indirect jumps have landing places (-fcf-protection)" "$(for file; do
		places=$(LC_ALL=C grep -oaP '\xf3\x0f\x1e[\xfa\xfb]' "$file" | wc -l)
		[ "$places" -ge 20 ] || echo "${file##*/}: $places"
	done)"
	;;
*) echo "# not with this compiler, or for this processor: -fcf-protection" ;;
esac
finish
