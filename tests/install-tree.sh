#!/bin/sh
# SPDX-License-Identifier: MIT
# install-tree.sh FROM TO: installs every file below FROM, keeping what is executable executable.
# Not `cp -R`: the modes of a read-only source tree must not come along.
set -eu
from=$1
to=$2
cd "$from"
find . -type d | while IFS= read -r dir; do
	mkdir -p "$to/$dir"
done
find . -type f | while IFS= read -r file; do
	mode=644
	[ ! -x "$file" ] || mode=755
	install -m "$mode" "$file" "$to/$file"
done
find . -type l | while IFS= read -r link; do
	ln -sfn "$(readlink "$link")" "$to/$link"
done
