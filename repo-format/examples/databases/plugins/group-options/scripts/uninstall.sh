#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
"$PLUGPKG_ROOT/bin/sql" <<'END'
DROP TABLE IF EXISTS user_group_option;
DROP TABLE IF EXISTS group_option;
END
