#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
sqlite3 -bail "$PLUGPKG_ROOT/site.db" "DROP TABLE IF EXISTS note"
