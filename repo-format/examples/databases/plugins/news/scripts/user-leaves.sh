#!/bin/sh
# SPDX-License-Identifier: MIT
# Called before `user` leaves: once to ask, and once to do it when everybody agreed.
# 10: news stay without their authors. Until "do" nothing may change.
set -eu
[ "$PLUGPKG_EVENT_PHASE" != ask ] || exit 10
"$PLUGPKG_ROOT/bin/sql" <<'END'
CREATE TABLE news_alone (id INTEGER PRIMARY KEY, text TEXT NOT NULL, user_id INTEGER);
INSERT INTO news_alone (id, text) SELECT id, text FROM news;
DROP TABLE news;
ALTER TABLE news_alone RENAME TO news;
END
