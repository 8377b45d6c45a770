#!/bin/sh
# SPDX-License-Identifier: MIT
# Nothing is forced: where rows of another plugin refer to this table, the database refuses, and plugpkg
# leaves this plugin installed.
set -eu
echo 'DROP TABLE IF EXISTS "user";' | "$PLUGPKG_ROOT/bin/sql"
