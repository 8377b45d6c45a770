#!/bin/sh
# SPDX-License-Identifier: MIT
sqlite3 -separator ': ' "$CMS_DB" \
	'SELECT g.name, u.name FROM user_group g JOIN "user" u ON u.id = g.owner_id ORDER BY g.name'
