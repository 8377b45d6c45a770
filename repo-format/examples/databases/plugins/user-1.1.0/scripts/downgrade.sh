#!/bin/sh
# SPDX-License-Identifier: MIT
# The way back to 1.0, whose `upgrade` calls this.
set -eu
cd "$(dirname "$0")/.."
scripts/verify.sh 2>/dev/null || exit 0 # a second run
echo 'ALTER TABLE "user" DROP COLUMN email;' | "$PLUGPKG_ROOT/bin/sql"
