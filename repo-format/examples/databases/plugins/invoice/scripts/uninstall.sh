#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
echo 'DROP TABLE IF EXISTS invoice;' | "$PLUGPKG_ROOT/bin/sql"
