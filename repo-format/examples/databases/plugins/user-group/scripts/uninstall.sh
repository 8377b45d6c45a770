#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
echo 'DROP TABLE IF EXISTS user_group;' | "$PLUGPKG_ROOT/bin/sql"
