#!/bin/sh
# SPDX-License-Identifier: MIT
# shape.sh SRCDIR: our row of the table in the style guide, measured as its other rows were (C files
# of src/, a tab counted as 8), and the functions and files that stick out.
set -eu
cd "$1"

files=$(find src -name '*.c' | sort)
# shellcheck disable=SC2086 # the list is words
{
	wc -l $files | awk '$2 != "total" { print "file", $1, $2 }'
	ctags -f - --fields=+ne --c-kinds=f --sort=no $files | awk -F '\t' '{
		from = to = 0
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) from = substr($i, 6)
			if ($i ~ /^end:/) to = substr($i, 5)
		}
		if (to > 0) print "func", to - from + 1, $2 ":" $1
	}'
} | sort -k1,1 -k2,2n | awk '
	$1 == "file" { fl[++nf] = $2; fn[nf] = $3; lines += $2 }
	$1 == "func" { ul[++nu] = $2; un[nu] = $3 }
	function at(a, n, share) { i = int(n * share + 0.999); return a[i < 1 ? 1 : i] }
	END {
		printf "files %d, lines %d; lines/file median %d, max %d (%s)\n",
		    nf, lines, at(fl, nf, 0.5), fl[nf], fn[nf]
		printf "functions %d; lines median %d, p90 %d, max %d (%s)\n",
		    nu, at(ul, nu, 0.5), at(ul, nu, 0.9), ul[nu], un[nu]
		for (i = 1; i <= nf; i++) if (fl[i] > 600) print "long file:", fl[i], fn[i]
		for (i = 1; i <= nu; i++) if (ul[i] > 60) print "long function:", ul[i], un[i]
	}'
# shellcheck disable=SC2086
cat $files | expand | awk '
	length($0) > 80 { wide++ }
	/(^|[^a-z_])goto / { jumps++ }
	/PP_AUTO/ { cleanups++ }
	END {
		printf ">80 columns %.1f %%; goto per 1000 lines %.1f; auto-cleanup per 1000 lines %.1f\n",
		    100 * wide / NR, 1000 * jumps / NR, 1000 * cleanups / NR
	}'
