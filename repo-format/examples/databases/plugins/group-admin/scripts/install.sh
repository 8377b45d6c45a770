#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
"$PLUGPKG_ROOT/bin/sql" <<'END'
INSERT INTO user_group (name) VALUES ('admin') ON CONFLICT DO NOTHING;
END
