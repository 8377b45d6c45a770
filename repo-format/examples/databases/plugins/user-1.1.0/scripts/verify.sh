#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
echo 'SELECT name, email FROM "user" LIMIT 0;' | "$PLUGPKG_ROOT/bin/sql"
