#!/bin/sh
# SPDX-License-Identifier: MIT
# Files of its own go where they survive upgrades: the plugin's data directory.
set -eu
mkdir -p "$PLUGPKG_DATA/pictures"
echo "pictures go to data/photos"
