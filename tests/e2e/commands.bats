# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What each command answers, in words and in rows: questions, upgrades, the author's tools.

setup() {
	load ../helpers
	setup_scratch
}

# A root that knows user 2.1.0, animal 1.4.0 (requires user, recommends photos), photos 1.2.0.
small_zoo() {
	make_repo
	publish "$(build_plugin user 2.1.0)" \
		"$(build_plugin animal 1.4.0 '"requires": {"user": "^2"}, "recommends": {"photos": "*"},
			"keywords": ["zoo"], "description": "Cats, and others."')" \
		"$(build_plugin photos 1.2.0 '"suggests": {"exif": "*"}, "conflicts": {"pictures": "*"}')"
	make_root
}

@test "search finds what holds every word, in name, summary or keywords" {
	small_zoo
	run -0 plugpkg search ZOO
	assert_equal "$output" "animal  1.4.0  Test plugin animal"
	run -0 plugpkg search plugin photo
	assert_equal "$output" "photos  1.2.0  Test plugin photos"
	run -0 plugpkg search zoo photo
	assert_equal "$output" ""
	run -0 --separate-stderr plugpkg search plugin --json
	assert_equal "$(json_get 'select(.type == "found").name' | paste -sd ' ')" "animal photos user"
}

@test "show tells about what is offered and what is installed" {
	small_zoo
	run -0 plugpkg show animal
	assert_has "Name:          animal" "Requires:      user ^2" "Recommends:    photos *" \
		"Versions:      1.4.0" "Digest:        sha256:" "  Cats, and others."
	assert_lacks "Installed:"
	plugpkg install -y animal
	run -0 plugpkg show animal
	assert_has "Installed:     1.4.0" "Reason:        manual"
	run -4 plugpkg show animl
	assert_has "[not-found]" "animal"
	run -4 plugpkg show animal@2
	assert_has "[not-found]"
}

@test "depends shows what is asked for and what of it is here" {
	small_zoo
	run -0 plugpkg depends animal
	assert_has "animal  requires    user ^2" "not installed"
	assert_lacks "exif"
	run -0 plugpkg depends --recursive animal
	assert_has "photos  suggests    exif *" "photos  conflicts   pictures *"
	plugpkg install -y animal
	run -0 plugpkg depends animal
	assert_has "user 2.1.0 is here" "photos 1.2.0 is here"
	run -0 --separate-stderr plugpkg depends animal --json
	assert_equal "$(json_get 'select(.kind == "requires") | .from + ">" + .to + "=" + .satisfied_by')" \
		"animal>user=user 2.1.0"
	run -4 plugpkg depends nothing
}

@test "rdepends shows who asks among the installed" {
	small_zoo
	run -0 plugpkg rdepends user
	assert_equal "$output" ""
	plugpkg install -y animal
	run -0 plugpkg rdepends user
	assert_has "animal  requires  user ^2"
	run -4 plugpkg rdepends usr
	assert_has "[not-found]"
}

@test "list shows source and reason, and chooses by pattern and reason" {
	small_zoo
	plugpkg install -y animal
	run -0 plugpkg list
	assert_equal "$output" "animal  1.4.0  test  manual     Test plugin animal
photos  1.2.0  test  automatic  Test plugin photos
user    2.1.0  test  automatic  Test plugin user"
	run -0 plugpkg list --manual
	assert_equal "$(cut -d ' ' -f 1 <<<"$output")" animal
	run -0 plugpkg list --auto 'u*'
	assert_equal "$(cut -d ' ' -f 1 <<<"$output")" user
	run -0 plugpkg list --available
	assert_has "user    2.1.0  test  installed 2.1.0"
}

@test "upgrade takes what is newer, and says what stays back and why" {
	small_zoo
	plugpkg install -y animal
	publish "$(build_plugin animal 1.5.0 '"requires": {"user": "^2"}')" \
		"$(build_plugin photos 2.0.0 '"requires": {"user": "^3"}')"
	plugpkg update
	run -0 plugpkg upgrade --dry-run
	assert_has "The following plugins will be upgraded:" "animal  1.4.0 -> 1.5.0" "Kept back:" \
		"photos  1.2.0, not 2.0.0"
	run -0 plugpkg upgrade -y
	assert_installed animal 1.5.0
	assert_installed photos 1.2.0
	run -0 plugpkg upgrade -y
	assert_has "Nothing to do."
	run -4 plugpkg upgrade -y nothing
}

@test "autoremove takes what came along and nobody needs any more" {
	small_zoo
	plugpkg install -y animal
	run -0 plugpkg autoremove -y
	assert_has "Nothing to do."
	plugpkg remove -y animal
	assert_installed user 2.1.0
	run -0 plugpkg autoremove -y
	assert_has "no longer needed"
	assert_not_installed user photos
}

@test "installing by name what came along makes it manual, and the plan says so" {
	small_zoo
	plugpkg install -y animal
	run -0 plugpkg install -y user
	assert_has "Installed already, and asked for from now on:" "  user"
	run -0 plugpkg list --manual
	assert_has "user"
}

@test "new, lint, build and link: from nothing to a plugin that is used" {
	run -0 plugpkg new gallery
	assert_has "gallery/plugin.json"
	run -0 plugpkg lint gallery
	run -0 plugpkg build gallery -o .
	assert_exists gallery-0.1.0.plug
	assert_has "gallery-0.1.0.plug" "sha256:"
	run -1 plugpkg new gallery
	assert_has "[exists]"
	plugpkg init "$PLUGPKG_ROOT"
	run -0 plugpkg link -y gallery
	assert_has "used in place"
	assert_exists "$PLUGPKG_ROOT/current/gallery/plugin.json"
	echo hello >gallery/new.txt
	assert_exists "$PLUGPKG_ROOT/current/gallery/new.txt"
	run -0 plugpkg list
	assert_has "link" "linked"
	plugpkg remove -y gallery
	assert_exists gallery/plugin.json
}

@test "link refuses a path that history and journal could not write down" {
	local dir=$'caf\xe9'
	plugpkg new gallery
	mv gallery "$dir"
	plugpkg init "$PLUGPKG_ROOT"
	run -2 plugpkg link -y "$dir"
	assert_has "no UTF-8" "[usage]"
	mv "$dir" café
	run -0 plugpkg link -y café
	run -0 plugpkg remove -y gallery
	run -0 plugpkg history
	assert_has "1 removed"
}

@test "lint names file and field, and with --json each finding is a row" {
	local dir
	dir=$(make_plugin a 1.0.0 '"requires": {"b": "one"}')
	run -1 plugpkg lint "$dir"
	assert_has "plugin.json" "requires" "[bad-manifest]"
	run -1 --separate-stderr plugpkg lint --json "$dir"
	assert_equal "$(json_get 'select(.type == "finding" and .level == "error").field')" requires.b
	run -1 plugpkg build "$dir"
	assert_missing a-1.0.0.plug
}

@test "check finds a changed file, and a fresh installation mends it" {
	small_zoo
	plugpkg install -y user
	run -0 plugpkg check
	local file=$PLUGPKG_ROOT/store/user/2.1.0/payload.txt
	chmod u+w "$file"
	echo changed >"$file"
	run -1 plugpkg check
	assert_has "user" "1 problem found [bad-state]"
	plugpkg remove -y user
	plugpkg clean
	plugpkg install -y user
	run -0 plugpkg check
}

@test "sources are listed with mirrors, key and validity, and removed" {
	small_zoo
	run -0 plugpkg source list
	assert_has "test  500  file://" "key sha256:" "valid until 20"
	run -0 plugpkg source remove test
	run -0 plugpkg source list
	assert_equal "$output" ""
	run -4 plugpkg source remove test
	assert_has "[not-found]"
}

@test "remove --all asks, and leaves a list and a store that are empty" {
	small_zoo
	plugpkg install -y animal
	run -11 plugpkg remove --all
	assert_installed animal 1.4.0
	run -0 plugpkg remove --all -y
	run -0 plugpkg list
	assert_equal "$output" ""
	run -0 plugpkg clean
	assert_equal "$(find "$PLUGPKG_ROOT/store" -type f)" ""
}

@test "purge takes the data along" {
	small_zoo
	plugpkg install -y user
	mkdir -p "$PLUGPKG_ROOT/data/user"
	echo kept >"$PLUGPKG_ROOT/data/user/file"
	plugpkg remove -y user
	assert_exists "$PLUGPKG_ROOT/data/user/file"
	plugpkg install -y user
	plugpkg purge -y user
	assert_missing "$PLUGPKG_ROOT/data/user"
}
