#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
rm -f "$PLUGPKG_DATA/done"
