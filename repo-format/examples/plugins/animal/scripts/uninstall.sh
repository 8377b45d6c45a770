#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
sqlite3 -bail "$PLUGPKG_ROOT/site.db" 'PRAGMA foreign_keys = ON; DROP TABLE IF EXISTS "animal";'
echo "table animal dropped"
