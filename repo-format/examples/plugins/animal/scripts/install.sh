#!/bin/sh
# SPDX-License-Identifier: MIT
# Idempotent, as every install script has to be: it may run again after a crash.
set -eu
sqlite3 -bail "$PLUGPKG_ROOT/site.db" <schema.sql
echo "table animal is there"
