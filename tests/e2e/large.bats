# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# An index that is cut into many shards: growing, what a client asks for, what is in its cache.
# Rows are made large by long lists of conflicts with made-up names, so that few plugins make many shards.

setup() {
	load ../helpers
	load servers
	setup_scratch
	need python3 jq zstd
}

teardown() {
	stop_servers
}

# asked PATTERN: how many requests since the last forget.
asked() {
	grep -c "$1" "$SCRATCH/web.log" || :
}

forget() {
	: >"$SCRATCH/web.log"
}

# A repository of p1 … p60, each of which requires the next but p20, p40 and p60, which require none.
# Made once for the file.
make_large_repo() {
	local i list archives=() needs
	if [ -d "$BATS_FILE_TMPDIR/large" ]; then
		cp -a "$BATS_FILE_TMPDIR/large" "$SCRATCH/repo"
		return
	fi
	make_repo
	publish "$(build_plugin small 1.0.0)" "$(build_plugin top 1.0.0 '"requires": {"small": "^1"}')"
	cp -a "$SCRATCH/repo" "$BATS_FILE_TMPDIR/small"
	for i in $(seq 60); do
		needs="\"p$((i + 1))\": \"*\""
		[ $((i % 20)) -ne 0 ] || needs=
		list=$(python3 -c 'import random, sys; r = random.Random(sys.argv[1]); print(",".join(
		    "\"n%032x\": \"<1.0.0\"" % r.getrandbits(128) for _ in range(500)))' "$i")
		archives+=("$(build_plugin "p$i" 1.0.0 "\"requires\": {$needs}, \"conflicts\": {$list}")")
	done
	publish "${archives[@]}"
	cp -a "$SCRATCH/repo" "$BATS_FILE_TMPDIR/large"
}

add_source() {
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add test "$1" --key repo/public/metadata/1.root.json >/dev/null
}

# index_root: the published one, as JSON, with its layers as lists.
index_root() {
	local metadata=repo/public/metadata n
	n=$(jq '.signed.meta."snapshot.json".version' $metadata/timestamp.json)
	n=$(jq '.signed.meta."index.json".version' "$metadata/$n.snapshot.json")
	n=$(jq -r '.signed.targets."index/root.json".hashes.sha256' "$metadata/$n.index.json")
	zstd -dcqf "repo/public/targets/index/$n.root.json" | # which leaves plain JSON as it is
		jq '(.planning, .details) |= if type == "string" then split(",") else . end'
}

@test "a repository that grows is cut into shards, and clients with the old ones go on" {
	make_large_repo
	mv repo grown
	cp -a "$BATS_FILE_TMPDIR/small" repo
	assert_equal "$(index_root | jq '.planning | length')" 1
	add_source "file://$SCRATCH/repo/public"
	plugpkg update
	rm -r repo
	mv grown repo
	[ "$(index_root | jq '.planning | length')" -ge 64 ]
	plugpkg install top -y # by the index that it has
	assert_installed small 1.0.0
	plugpkg update
	plugpkg install p37 -y
	assert_installed p40 1.0.0
	run -0 plugpkg upgrade -y
	run -0 plugpkg-repo verify repo
	plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror >/dev/null
	run -0 plugpkg-repo verify mirror
}

@test "a publication leaves the shards that it does not touch under their names" {
	make_large_repo
	index_root >before
	publish "$(build_plugin small 1.1.0)"
	index_root >after
	assert_equal "$(jq -c '.planning[]' before after | sort | uniq -u | wc -l)" 2
	assert_equal "$(jq -c '.details[]' before after | sort | uniq -u | wc -l)" 2
	assert_equal "$(jq '.planning | length' after)" "$(jq '.planning | length' before)"
}

@test "a plan asks for what it needs of the index, once, and an update with nothing new for two files" {
	make_large_repo
	serve web repo/public
	add_source "$URL/"
	plugpkg update
	assert_equal "$(asked planning)" 0
	forget
	plugpkg install p21 --dry-run
	[ "$(asked planning)" -ge 15 ]
	[ "$(asked planning)" -le 20 ]
	assert_equal "$(asked details)" 0
	plugpkg install p21 -y
	forget
	plugpkg update
	assert_equal "$(asked .)" 2
	plugpkg install p22 --dry-run
	assert_equal "$(asked planning)" 0
}

# rounds COMMAND…: how many batches of downloads it waits for, one after the other.
rounds() {
	plugpkg "$@" --debug 2>&1 | grep -c "debug: a round of downloads: " || :
}

@test "a first plan takes two rounds however deep its dependencies are, and no further one" {
	make_large_repo
	add_source "file://$SCRATCH/repo/public"
	plugpkg update
	assert_equal "$(rounds install p40 --dry-run)" 1 # it leads nowhere
	assert_equal "$(rounds install p1 --dry-run)" 2
	assert_equal "$(rounds install p1 p21 p41 top --dry-run)" 2
	plugpkg why-not p1 >/dev/null || : # a question keeps what it fetched, a dry run does not
	assert_equal "$(rounds install p20 --dry-run)" 0
}

@test "search finds what no shard was fetched of" {
	make_large_repo
	add_source "file://$SCRATCH/repo/public"
	plugpkg update
	run -0 plugpkg search p17 --json
	assert_equal "$(json_get '.name // empty')" p17
}

@test "whatever is damaged in the cache is fetched again without a word" {
	local file
	make_large_repo
	add_source "file://$SCRATCH/repo/public"
	plugpkg install p1 --dry-run >plan
	plugpkg why-not p1 >/dev/null || :
	for damage in 'printf x | dd bs=1 seek=5 conv=notrunc status=none of' 'truncate -s 3' 'rm -f' 'ln -sfn /dev/null'; do
		for file in "$PLUGPKG_ROOT"/var/cache/*; do
			case $damage in
			*of) printf x | dd bs=1 seek=5 conv=notrunc status=none of="$file" ;;
			*) $damage "$file" ;;
			esac
		done
		run --separate-stderr -0 plugpkg install p1 --dry-run
		assert_equal "$stderr" "Nothing was changed: this was a dry run."
		assert_equal "$output" "$(cat plan)"
		plugpkg why-not p1 >/dev/null || :
	done
	plugpkg install p1 -y
	assert_installed p20 1.0.0
}

# recalls: a root on p1 … p60 whose var/cache/test.lines has what p1 leads to; its plan in SCRATCH/plan.
recalls() {
	make_large_repo
	add_source "file://$SCRATCH/repo/public"
	plugpkg update
	plugpkg install p1 --dry-run --json >plan
	LINES_FILE=$PLUGPKG_ROOT/var/cache/test.lines
	NOTE=$PLUGPKG_ROOT/var/trust/test/lines
	[ ! -e "$LINES_FILE" ] # a dry run leaves nothing
	plugpkg why-not p1 >/dev/null || :
	[ -s "$LINES_FILE" ]
	cp "$LINES_FILE" lines
	cp "$NOTE" note
}

assert_same_plan() {
	plugpkg install p1 --dry-run --json "$@" >again
	cmp plan again
}

@test "a plan by the lines that are recalled is the one by the shards, byte for byte" {
	recalls
	assert_same_plan
	find "$PLUGPKG_ROOT/var/cache" -type f ! -name test.lines -delete
	assert_same_plan --offline
	run -0 plugpkg install p1 p21 --dry-run # what is not recalled is fetched
	[[ $output == *p40* ]]
	rm "$LINES_FILE"
	run -5 plugpkg install p1 --dry-run --offline
}

@test "recalled lines that are damaged, cut or of another root are not used, and made anew" {
	local damage size
	recalls
	size=$(stat -c %s lines)
	for damage in "truncate -s 0 $LINES_FILE" "truncate -s $((size - 1)) $LINES_FILE" \
		"truncate -s +1 $LINES_FILE" "truncate -s 0 $NOTE" "truncate -s +200 $NOTE" \
		"rm $LINES_FILE" "ln -sfn /dev/null $LINES_FILE" "cp plan $LINES_FILE" "cp plan $NOTE"; do
		$damage
		assert_same_plan
		plugpkg why-not p1 >/dev/null || :
		cmp lines "$LINES_FILE"
		cmp note "$NOTE"
	done
	for offset in 0 70 $((size / 2)) $((size - 1)); do
		printf '\001' | dd bs=1 seek="$offset" conv=notrunc status=none of="$LINES_FILE"
		assert_same_plan
		plugpkg why-not p1 >/dev/null || :
		cmp lines "$LINES_FILE"
	done
}

@test "lines that speak of other shards are not recalled, whoever wrote their digests" {
	recalls
	mkdir other
	(
		export SCRATCH=$SCRATCH/other
		export PLUGPKG_ROOT=$SCRATCH/root
		cd other
		cp -a ../repo repo
		publish "$(build_plugin p5 2.0.0)"
		add_source "file://$SCRATCH/repo/public"
		plugpkg update
		plugpkg why-not p1 >/dev/null || :
	)
	run ! cmp lines other/root/var/cache/test.lines
	cp other/root/var/cache/test.lines "$LINES_FILE"
	cp other/root/var/trust/test/lines "$NOTE"
	assert_same_plan
}

@test "lines that tell another number of shards than the index has fail one plan, and not the next" {
	recalls
	python3 - "$LINES_FILE" "$NOTE" <<-'END'
		import hashlib, sys
		lines, note = sys.argv[1:]
		text = open(lines, "rb").read()
		size = int(open(note).read().split()[0])
		digest, planning, details = text[:size].split(b"\n")[0].split()
		row = b"%s %d %s" % (digest, 2 * int(planning), details)
		table = row + text[:size][text.index(b"\n"):]
		open(lines, "wb").write(table + text[size:])
		open(note, "w").write("%d %s" % (len(table), hashlib.sha256(table).hexdigest()))
	END
	run -6 plugpkg install p1 p21 --dry-run
	assert_has "'var/trust/test/lines' is not about the index that it names [digest-mismatch]" \
		"run the command again"
	assert_same_plan
	plugpkg why-not p1 >/dev/null || :
	cmp note "$NOTE"
}

@test "after an update the shards that changed are read, and the others are recalled" {
	recalls
	publish "$(build_plugin p5 2.0.0)"
	plugpkg update
	run -0 plugpkg install p1 --dry-run
	[[ $output == *"p5 "*"2.0.0"* ]]
	run -0 plugpkg install p5 -y
	assert_installed p5 2.0.0
	run -0 plugpkg install p6 --dry-run --offline
}

# Its shard is empty, and of the same number after the doubling there is an empty one again.
@test "a name that was looked up before it was published is found after the shards became more" {
	local i list many archives
	make_large_repo
	add_source "file://$SCRATCH/repo/public"
	run -4 plugpkg why-not p1 late
	[ -s "$PLUGPKG_ROOT/var/cache/test.lines" ]
	many=$(index_root | jq '.planning | length')
	archives=("$(build_plugin late 1.0.0)")
	for i in $(seq 18); do
		list=$(python3 -c 'print(",".join("\"b%s%031x\": \"<1.0.0\"" % ("'"$i"'", n * 7 ** 30 % 2 ** 120) for n in range(1000)))')
		archives+=("$(build_plugin "big$i" 1.0.0 "\"conflicts\": {$list}")")
	done
	publish "${archives[@]}"
	[ "$(index_root | jq '.planning | length')" -gt "$many" ]
	plugpkg update
	plugpkg why-not p1 >/dev/null || : # notes again what it recalls
	run -0 plugpkg install late -y
	assert_installed late 1.0.0
}

@test "clean deletes the lines that are recalled, and the next plan writes them again" {
	recalls
	run -0 plugpkg clean --cache
	[ ! -e "$LINES_FILE" ]
	assert_same_plan --offline
	plugpkg why-not p1 >/dev/null || :
	cmp lines "$LINES_FILE"
}

@test "lines that cannot be written, and plans at the same time, change no plan" {
	local i pids=()
	recalls
	rm "$LINES_FILE"
	mkdir -p "$LINES_FILE/x"
	plugpkg why-not p1 >/dev/null || :
	assert_same_plan
	rm -r "$LINES_FILE"
	for i in 1 2 3 4 5 6; do
		{ plugpkg why-not p1 p$((i * 9)) >/dev/null || : ; plugpkg install p1 --dry-run --json >"plan.$i"; } &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in 1 2 3 4 5 6; do
		cmp plan "plan.$i"
	done
	assert_same_plan
}
