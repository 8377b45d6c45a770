#!/bin/sh
# SPDX-License-Identifier: MIT
# Brings the data from $PLUGPKG_OLD_VERSION to $PLUGPKG_VERSION, in either direction: when a later step of the
# transaction fails, the old version's upgrade script is run to go back.
set -eu
case $PLUGPKG_VERSION in
1.0.*) sql='ALTER TABLE note DROP COLUMN at' ;;
*) sql='ALTER TABLE note ADD COLUMN at TEXT' ;;
esac
sqlite3 -bail "$PLUGPKG_ROOT/site.db" "$sql"
echo "note: $PLUGPKG_OLD_VERSION -> $PLUGPKG_VERSION"
