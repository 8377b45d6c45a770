#!/bin/sh
# SPDX-License-Identifier: MIT
sqlite3 "$CMS_DB" 'SELECT name FROM "user" ORDER BY name'
