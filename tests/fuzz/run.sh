#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh SECONDS CORPUS FUZZER...: gives every fuzzer its seconds. New inputs go to fuzz-work/, never
# into the seeds: libFuzzer writes into the first directory it is given.
set -u
seconds=$1
corpus=$2
shift 2

passed=0
failed=0
for fuzzer; do
	name=${fuzzer##*/fuzz_}
	mkdir -p "fuzz-work/$name" "fuzz-work/crashes"
	echo "fuzz $name, $seconds s"
	if ! "./$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
		-print_final_stats=1 -artifact_prefix="fuzz-work/crashes/$name-" \
		"fuzz-work/$name" "$corpus/$name" >"fuzz-work/$name.log" 2>&1; then
		failed=$((failed + 1))
		tail -n 40 "fuzz-work/$name.log"
		echo "fuzz $name: FAILED, see fuzz-work/crashes/"
	else
		passed=$((passed + 1))
		sed -n 's/^stat::number_of_executed_units: */  runs: /p' "fuzz-work/$name.log"
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
exit $((failed > 0))
