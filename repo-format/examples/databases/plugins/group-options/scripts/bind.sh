#!/bin/sh
# SPDX-License-Identifier: MIT
# Binds every option to every group, whichever plugins brought the groups. At post level 0 they all have:
# every `install` ran before. "always" calls this again when a later plugin brings one more group.
set -eu
"$PLUGPKG_ROOT/bin/sql" <<'END'
INSERT INTO user_group_option (user_group, group_option)
  SELECT user_group.name, group_option.name FROM user_group CROSS JOIN group_option WHERE true
  ON CONFLICT DO NOTHING;
END
