#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
echo 'DROP TABLE IF EXISTS animal;' | "$PLUGPKG_ROOT/bin/sql"
