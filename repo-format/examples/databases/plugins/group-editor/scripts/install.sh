#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
"$PLUGPKG_ROOT/bin/sql" <<'END'
INSERT INTO user_group (name) VALUES ('editor'), ('chief editor') ON CONFLICT DO NOTHING;
END
