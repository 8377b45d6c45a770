#!/bin/sh
# SPDX-License-Identifier: MIT
# The pictures stay: `plugpkg purge` removes the data directory, `remove` does not.
set -eu
echo "pictures are kept"
