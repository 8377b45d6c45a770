#!/bin/sh
# SPDX-License-Identifier: MIT
# coverage.sh CORPUS FUZZER...: for every fuzzer, how much of the functions of ours that it gets to
# its seeds and what fuzz-work/ holds run through. Ways to abort() count as well: never all of it.
set -u
corpus=$1
shift
printf '%-16s %7s %10s %14s\n' target inputs functions edges
for fuzzer; do
	name=${fuzzer##*/fuzz_}
	mkdir -p "fuzz-work/$name"
	"./$fuzzer" -runs=0 -print_coverage=1 "fuzz-work/$name" "$corpus/$name" 2>&1 |
		awk -v name="$name" '
			/^INFO: seed corpus: files:/ { inputs = $5 }
			$1 == "COVERED_FUNC:" && $NF ~ /\/src\// {
				split($5, part, "/"); got += part[1]; all += part[2]; functions++
			}
			END { printf "%-16s %7d %10d %7d of %d (%d %%)\n", name, inputs, functions,
				got, all, (all > 0 ? 100 * got / all : 0) }'
done
