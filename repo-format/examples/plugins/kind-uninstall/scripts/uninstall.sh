#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs after the application stopped seeing the plugin. Dependents have run before.
set -eu
echo "goodbye from $PLUGPKG_NAME, because of $PLUGPKG_REASON"
