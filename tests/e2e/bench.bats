#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The benchmarks run: what they say of time is nobody's business here.

setup() {
	load ../helpers
	setup_scratch
	command -v nginx >/dev/null || skip "nginx is not installed"
	[ -x "$top_builddir/tests/bench/cost" ] || skip "this build has no tests/bench/cost"
	BENCH_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	export BENCH_PORT PYTHONDONTWRITEBYTECODE=1
}

bench() {
	python3 "$top_srcdir/tests/bench/bench.py" work --size tiny --rounds 1 --ram "$SCRATCH" --peers plugpkg "$@"
}

@test "a run of the benchmarks leaves a table, the figures as JSON and a chart" {
	run bench --groups query,change
	assert_status 0
	assert_has "upgrade, nothing to do" "rollback, all come back" "left out: none"
	assert_lacks "failed"
	assert_equal "$(jq -r '.cases | keys | length' work/results.json)" 11
	assert_equal "$(jq -r '[.cases[].rows.plugpkg.runs] | unique | tostring' work/results.json)" "[1]"
	assert_equal "$(cat work/results.txt)" "$(sed -n '/ cores, /,$p' <<<"$output")"
	python3 -c 'import xml.etree.ElementTree as e; e.parse("work/chart.svg")'
}

@test "what failed in a benchmark has no time, and is in its log" {
	run bench --groups query
	assert_status 0
	rm -r work/tiny/repo/plug/v1/public/targets/pool
	run bench --groups query
	assert_status 0
	assert_equal "$(jq '.cases | length' work/results.json)" 0
	run grep -A 1 FAILED work/run.log
	assert_has "install" "status 404"
}
