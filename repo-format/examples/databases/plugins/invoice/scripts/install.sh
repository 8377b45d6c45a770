#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
exec "$PLUGPKG_ROOT/bin/sql" <schema.sql
