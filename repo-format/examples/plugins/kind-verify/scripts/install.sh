#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
: >"$PLUGPKG_DATA/done"
