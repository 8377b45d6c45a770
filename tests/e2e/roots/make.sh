#!/bin/bash
# SPDX-License-Identifier: MIT
# How the roots of older formats beside this script were made. Run it with the plugpkg and plugpkg-repo
# of the format in PATH (and its helpers in PLUGPKG_LIBEXEC), built with --enable-failpoints:
#
#	tests/e2e/roots/make.sh FORMAT DIRECTORY
#
# It writes DIRECTORY/format-FORMAT.tar.xz: `root`, with plugins, data, a hold, a disabled plugin, a
# removal and an undo in its history; `cut`, the same in the middle of an upgrade that was killed; and
# `repo`, which both know as their source. Another run makes the same but for keys, signatures and the
# times in logs. A file that was released is never made anew: it is what people have.
set -eu

format=$1
out=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
export PLUGPKG_NOW=2026-11-22T00:00:00Z SOURCE_DATE_EPOCH=1795305600 PLUGPKG_ROOT=$work/root

# plugin NAME VERSION [MEMBERS]
plugin() {
	mkdir -p "$1-$2"
	echo "{\"name\": \"$1\", \"version\": \"$2\", \"summary\": \"Test plugin $1\", \"license\": \"MIT\"${3:+, $3}}" \
		>"$1-$2/plugin.json"
	echo "$1 $2" >"$1-$2/payload.txt"
	plugpkg build "$1-$2" >/dev/null
}

# A plugin that counts its versions in its data.
keeper() {
	mkdir -p "keeper-$1/scripts"
	# shellcheck disable=SC2016 # expands in the script
	printf '#!/bin/sh\nset -eu\necho "$PLUGPKG_REASON $PLUGPKG_VERSION" >>"$PLUGPKG_DATA/visits"\n' \
		>"keeper-$1/scripts/visit.sh"
	chmod 755 "keeper-$1/scripts/visit.sh"
	plugin keeper "$1" '"scripts": {"install": "scripts/visit.sh", "upgrade": "scripts/visit.sh"}'
}

plugin base 1.0.0
plugin base 1.1.0
plugin middle 1.0.0 '"requires": {"base": "^1"}'
plugin top 1.0.0 '"requires": {"middle": "^1"}, "recommends": {"extra": "*"}'
plugin extra 1.0.0
plugin guest 2.0.0 '"requires": {"base": ">=1"}'
keeper 1.0.0
keeper 2.0.0
plugpkg-repo init repo --name demo >/dev/null
plugpkg-repo --repo repo add --quiet ./*.plug
plugpkg-repo --repo repo publish >/dev/null

plugpkg init root >/dev/null
plugpkg source add demo "file://$work/repo/public" --key repo/public/metadata/1.root.json >/dev/null
sqlite3 root/var/state.db "UPDATE history_notes SET text = replace(text, '$work/repo', '/srv/demo'); VACUUM"
plugpkg update >/dev/null
plugpkg install base@1.0.0 top keeper@1.0.0 -y >/dev/null
plugpkg install guest -y >/dev/null
plugpkg install base@1.1.0 -y >/dev/null
plugpkg remove guest -y >/dev/null
plugpkg undo -y >/dev/null
plugpkg hold middle >/dev/null
plugpkg disable extra -y >/dev/null

cp -a root cut
cp -a root counting
PLUGPKG_COUNT_POINTS=$work/points plugpkg --root counting install keeper@2.0.0 -y >/dev/null
point=$(($(wc -c <points) * 3 / 5))
{ PLUGPKG_CRASH_AT=$point plugpkg --root cut install keeper@2.0.0 -y >/dev/null && exit 1; } 2>/dev/null
[ "$(sqlite3 cut/var/state.db "SELECT count(*) FROM transactions WHERE status = 'running'")" = 1 ]

# No paths of where this ran, and nothing that can be had again.
for root in root cut; do
	sed -i "s,file://$work/repo/public,file:///srv/demo/public," "$root/plugpkg.json"
	rm -f "$root/var/lock"
	rm -f "$root/var/mirrors.json"
	[ "$root" = cut ] || rm -rf "$root"/var/cache/*
done
rm -rf repo/keys
mv repo/public public
tar --sort=name --mtime=@1795305600 --owner=0 --group=0 --numeric-owner -cf - root cut public |
	xz -9e >"$out/format-$format.tar.xz"
ls -l "$out/format-$format.tar.xz"
