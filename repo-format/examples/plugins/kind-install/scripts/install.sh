#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs after the files are in the store and before anyone sees them. Dependencies have run before.
set -eu
echo "hello from $PLUGPKG_NAME $PLUGPKG_VERSION, because of $PLUGPKG_REASON"
date >"$PLUGPKG_DATA/installed"
