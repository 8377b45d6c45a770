#!/bin/sh
# SPDX-License-Identifier: MIT
# Back to this version. The newer one knows the way; it lies beside this one in the store.
set -eu
exec "../$PLUGPKG_OLD_VERSION/scripts/downgrade.sh"
