#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
echo 'DROP TABLE IF EXISTS news;' | "$PLUGPKG_ROOT/bin/sql"
