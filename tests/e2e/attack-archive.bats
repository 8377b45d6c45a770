# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The attack list, archives: S29 to S42 and S46. Each hostile archive of make-hostile.py is signed by a
# publisher who means it, and installed by name; what is refused, and why, stands in its LIST.json.

# one_of_each: an archive for every way to be hostile; cuts and foreign formats stand for their like, and
# the same bytes come once, as nobody publishes them as two versions.
one_of_each() {
	{
		find hostile -name '*.plug' | grep -vE -- '-(cut|raw)-|S42-zstd-' | LC_ALL=C sort
		find hostile -name '*.plug' |
			grep -E -- '-cut-tar-|-cut-.*5\.plug|-raw-(zip|rar5|iso|text)|-zstd-(rar4|cpio)' | LC_ALL=C sort
	} | xargs sha256sum | awk '!seen[$1]++ { print $2 }'
}

setup_file() {
	load ../helpers
	load attacks
	need python3 jq openssl sqlite3 zstd
	make_world
	python3 "$top_srcdir/tests/e2e/make-hostile.py" hostile
	one_of_each | awk '{ print "hostile", "1.0." NR, $0 }' >releases
	# shellcheck disable=SC2046 # words
	evil roomy $(<releases)
	plugpkg update >/dev/null
	keep_world
}

setup() {
	load ../helpers
	load attacks
	enter_world
}

# refuses_all ROW: every archive of that row: exit status 6, its own cause, nothing changed; and then an
# honest run.
refuses_all() {
	local version file n=0 cause
	root_before
	while read -r _ version file; do
		run timeout 60 plugpkg install "hostile@$version" -y
		assert_status 6
		cause=$(jq -r --arg f "${file##*/}" '.[] | select(.file == $f).want' hostile/LIST.json)
		assert_has "hostile $version" "$cause" "[bad-archive]" "nothing was changed"
		assert_equal "$(loose_ends)" ""
		assert_missing /etc/plugpkg-hostile "$PLUGPKG_ROOT/store/hostile/$version"
		n=$((n + 1))
	done < <(grep "/$1-" releases)
	[ "$n" -gt 0 ] || fail "no archive for $1"
	nothing_changed
	honest_run_works
}

@test "S22: names in archives that are no UTF-8 are refused" {
	refuses_all S22
}

@test "S29: absolute paths and '..' in names of an archive are refused" {
	refuses_all S29
}

@test "S30: writing through a symbolic link of the archive, and links that lead out, are refused" {
	refuses_all S30
}

@test "S31: hard links are refused, whatever they lead to" {
	refuses_all S31
}

@test "S32: a link that becomes a directory gets no mode and no time through it" {
	local mode
	mode=$(stat -c '%a %Y' /etc)
	refuses_all S32
	assert_equal "$(stat -c '%a %Y' /etc)" "$mode"
}

@test "S33: an archive cannot aim at another plugin of the store, nor at the pointer" {
	refuses_all S33
}

@test "S34: an archive may hold every name that plugpkg writes itself, and harms nobody" {
	local dir name
	dir=$(make_plugin odd 1.0.0)
	for name in .plugins.json current plugpkg.json plugpkg.lock state.db; do
		echo odd >"$dir/$name"
	done
	mkdir -p "$dir/store/user" "$dir/generations/0" "$dir/var/staging" "$dir/data"
	ln -s ../plugin.json "$dir/store/current"
	offer odd 1.0.0
	plugpkg install odd -y
	assert_installed odd 1.0.0
	assert_equal "$(cat "$PLUGPKG_ROOT/current/odd/current")" odd
	assert_link "$PLUGPKG_ROOT/store/odd/1.0.0/store/current" ../plugin.json
	honest_run_works
}

@test "S35: setuid, setgid, sticky and world-writable modes are refused" {
	refuses_all S35
}

@test "S35: no umask changes the modes in the store" {
	local umask
	for umask in 0 077 0777; do
		(umask "$umask" && plugpkg install honest@1.1.0 --reinstall -y)
		assert_equal "$(stat -c %a root/store/honest/1.1.0/payload.txt)" 444
		assert_equal "$(stat -c %a root/store/honest/1.1.0)" 755
		plugpkg install honest@1.0.0 --downgrade -y
		plugpkg clean
	done
}

@test "S36: device nodes, FIFOs and files of other kinds are refused" {
	refuses_all S36
}

@test "S37: bombs, sparse files and very many entries are refused within the signed sizes" {
	refuses_all S37
}

@test "S37: an archive that unpacks to more than its record says is refused, though it is small" {
	local member=
	make_plugin big 1.0.0 >/dev/null
	head -c 300000 /dev/zero >"$(plugin_dir big 1.0.0)/zeros"
	offer big 1.0.0
	for member in '.unpacked = 1000' '.unpacked = 1 | .files = 9' '.unpacked = 1e6 | .files = 1'; do
		evil edit details jq -c "if .name == \"big\" then .versions[0] |= ($member) else . end"
		plugpkg update
		refused_with 6 "big 1.0.0" "[bad-archive]" "the archive may hold" -- plugpkg install big -y
	done
	honest_run_works
}

@test "S38: names that are too long or too deep are refused" {
	refuses_all S38
}

@test "S39: an entry that stands twice, as what it is or as something else, is refused" {
	refuses_all S39
}

@test "S40: names that differ only in case or in form are refused" {
	refuses_all S40
}

@test "S41: archives that two readers could read as two things are refused" {
	refuses_all S41
}

@test "S42: other formats, other filters and filters in filters are refused" {
	refuses_all S42
}

@test "S46: an archive that is cut off anywhere is refused" {
	refuses_all S46
}

@test "S46: a cut is noticed by the digest before anything is parsed" {
	local archive size
	archive=$(echo repo/public/targets/pool/honest/1.1.0/*.plug)
	cp "$archive" whole
	for size in 0 1 100; do
		head -c "$size" whole >"$archive"
		refused_with 6 "honest 1.1.0" "has another size" -- plugpkg install honest@1.1.0 -y
	done
	cp whole "$archive"
	honest_run_works
}

@test "S50: names in archives that look like options are refused" {
	refuses_all S50
}

@test "S51: names in archives with line breaks, escapes and blanks at their end are refused" {
	refuses_all S51
}
