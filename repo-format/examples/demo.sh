#!/bin/sh
# SPDX-License-Identifier: MIT
# The main job on an embedded default: plugins are built, published, installed into a small content
# application, used, and removed. Everything happens in one directory; nothing needs a network.
# usage: demo.sh [DIR]     plugpkg and plugpkg-repo have to be on PATH
set -eu

examples=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dir=${1-}
[ -n "$dir" ] || dir=$(mktemp -d)
mkdir -p "$dir"
dir=$(CDPATH='' cd -- "$dir" && pwd)
app=$dir/demo-cms
# What a URL cannot hold as it is; other characters are no matter of a demo.
url=file://$(printf '%s' "$dir" | sed 's/%/%25/g; s/ /%20/g')/repository/public

heading='\n== %s\n'
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	heading='\n\033[1m%s\033[0m\n'
fi
say() {
	# shellcheck disable=SC2059 # one of the two formats above
	printf "$heading" "$*"
}
run() {
	printf '$ %s\n' "$*"
	"$@"
}

for tool in plugpkg plugpkg-repo sqlite3; do
	command -v "$tool" >/dev/null || {
		echo "demo: $tool is not on PATH" >&2
		exit 1
	}
done

for made in "$dir/repository" "$app"; do
	[ ! -e "$made" ] || {
		echo "demo: $made is there already; name another directory" >&2
		exit 1
	}
done

say "1. Authors build their plugins"
mkdir -p "$dir/archives"
for plugin in "$examples"/plugins/*/; do
	plugpkg build "$plugin" -o "$dir/archives"
done

say "2. An operator publishes them as a signed repository"
run plugpkg-repo init "$dir/repository" --name demo
run plugpkg-repo --repo "$dir/repository" add --quiet "$dir"/archives/*.plug
run plugpkg-repo --repo "$dir/repository" publish

say "3. An administrator makes the application a root and trusts the repository's key"
cp -R "$examples/demo-cms" "$app"
run plugpkg init "$app"
run plugpkg --root "$app" source add demo "$url" \
	--key "$dir/repository/public/metadata/1.root.json"

say "4. Install: animal needs user and a list of species; photos are recommended"
run plugpkg --root "$app" install -y animal
run plugpkg --root "$app" list
run readlink "$app/current"

say "5. The application uses its plugins"
run "$app/bin/demo-cms" pages
run "$app/bin/demo-cms" show animal
run sqlite3 "$app/site.db" .tables

say "6. Remove user: what depends on it goes along, dependents first"
run plugpkg --root "$app" remove -y --allow-remove user
run plugpkg --root "$app" list
run sqlite3 "$app/site.db" .tables

say "Everything lies in $dir"
cat <<END
  archives/     what the authors built
  repository/   the publisher's directory; repository/public is all that a web server needs
  demo-cms/     the application and its root

Try next:
END
# From a build tree the programs and their helpers are not where a shell looks.
if [ -n "${PLUGPKG_LIBEXEC-}" ]; then
	cat <<END
  export PLUGPKG_LIBEXEC=$PLUGPKG_LIBEXEC PATH=$PLUGPKG_LIBEXEC:\$PATH
END
fi
cat <<END
  export PLUGPKG_ROOT='$app'
  plugpkg install kind-upgrade@1.0
  plugpkg search species
  plugpkg install animal species-latin --dry-run
END
