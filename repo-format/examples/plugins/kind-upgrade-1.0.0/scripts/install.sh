#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
sqlite3 -bail "$PLUGPKG_ROOT/site.db" "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT)"
