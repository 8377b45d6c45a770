#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh SECONDS CORPUS FUZZER...: gives every fuzzer its seconds, FUZZ_JOBS of them at once. New
# inputs go to fuzz-work/, never into the seeds: libFuzzer writes into the first directory it is given.
set -u
seconds=$1
corpus=$2
shift 2
here=$(dirname "$0")
passed=0
failed=0

# Its own words, else those of JSON, which nearly all of our formats are.
dictionary_of() {
	if [ -f "$here/dict/$1.dict" ]; then echo "$here/dict/$1.dict"; else echo "$here/dict/json.dict"; fi
}

# fuzz FUZZER: in the background; its status goes to a file.
fuzz() {
	name=${1##*/fuzz_}
	mkdir -p "fuzz-work/$name" "fuzz-work/crashes"
	rm -f "fuzz-work/$name.status"
	{
		"./$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
			-print_final_stats=1 -artifact_prefix="fuzz-work/crashes/$name-" \
			-dict="$(dictionary_of "$name")" \
			"fuzz-work/$name" "$corpus/$name" >"fuzz-work/$name.log" 2>&1
		echo $? >"fuzz-work/$name.status"
	} &
}

# report FUZZER: what came of it.
report() {
	name=${1##*/fuzz_}
	echo "fuzz $name, $seconds s"
	if [ "$(cat "fuzz-work/$name.status" 2>/dev/null)" = 0 ]; then
		passed=$((passed + 1))
		sed -n 's/^stat::number_of_executed_units: */  runs: /p' "fuzz-work/$name.log"
	else
		failed=$((failed + 1))
		tail -n 40 "fuzz-work/$name.log"
		echo "fuzz $name: FAILED, see fuzz-work/crashes/"
	fi
}

batch=
n=0
for fuzzer; do
	fuzz "$fuzzer"
	batch="$batch $fuzzer"
	n=$((n + 1))
	[ $((n % ${FUZZ_JOBS:-1})) -eq 0 ] || [ "$n" -eq $# ] || continue
	wait
	for done in $batch; do report "$done"; done
	batch=
done
echo "$passed passed, $failed failed, 0 skipped"
exit $((failed > 0))
