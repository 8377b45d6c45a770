#!/bin/sh
# SPDX-License-Identifier: MIT
# Can run twice, as every script has to: the SQL says IF NOT EXISTS.
set -eu
exec "$PLUGPKG_ROOT/bin/sql" <schema.sql
