#!/bin/sh
# SPDX-License-Identifier: MIT
# What refers to the group goes along: its owner said ON DELETE CASCADE.
set -eu
echo "DELETE FROM user_group WHERE name IN ('editor', 'chief editor');" | "$PLUGPKG_ROOT/bin/sql"
