#!/bin/sh
# SPDX-License-Identifier: MIT
# Exit 0 says: what install does is done.
set -eu
found=$(sqlite3 "$PLUGPKG_ROOT/site.db" \
	"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'user'")
[ "$found" -eq 1 ]
