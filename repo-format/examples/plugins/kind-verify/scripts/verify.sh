#!/bin/sh
# SPDX-License-Identifier: MIT
# No side effects: it only answers whether install is done.
set -eu
[ -e "$PLUGPKG_DATA/done" ]
