# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # helpers.bash comes first; PORT and URL are for the tests
# Servers on loopback that end with their case. What orders there are stands in misbehaving-server.py.
#
#	setup() { load ../helpers; load servers; setup_scratch; }
#	teardown() { stop_servers; }

declare -gA SERVERS=() # name -> process

# serve NAME DIR [OPTION...]: a server of DIR that takes its orders from SCRATCH/NAME.order and notes in
# SCRATCH/NAME.log what it is asked for; sets PORT, and URL with no / at its end.
serve() {
	rm -f "$SCRATCH/$1.port"
	python3 "$top_srcdir/tests/e2e/misbehaving-server.py" "$2" --port-file "$SCRATCH/$1.port" \
		--control "$SCRATCH/$1.order" --log "$SCRATCH/$1.log" "${@:3}" 3>&- &
	started "$1" && URL=http://127.0.0.1:$PORT
}

# started NAME: the job that was started last is server NAME, whose port is to stand in SCRATCH/NAME.port;
# sets PORT.
started() {
	SERVERS[$1]=$!
	for _ in {1..1000}; do
		PORT=$(cat "$SCRATCH/$1.port" 2>/dev/null) || :
		[ -z "$PORT" ] || return 0
		kill -0 "${SERVERS[$1]}" || break
		sleep 0.02
	done
	fail "server '$1' does not start"
}

# order NAME WORDS: what server NAME does from the next request on.
order() {
	echo "$2" >"$SCRATCH/$1.order"
}

# stop_servers [NAME...]: these, or all of them.
stop_servers() {
	local name
	[ $# -gt 0 ] || set -- "${!SERVERS[@]}"
	for name; do
		kill "${SERVERS[$name]}" 2>/dev/null || :
		wait "${SERVERS[$name]}" 2>/dev/null || :
		unset "SERVERS[$name]"
	done
}
