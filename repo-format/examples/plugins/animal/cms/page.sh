#!/bin/sh
# SPDX-License-Identifier: MIT
# A page may use what its plugin requires: the list of species comes from whichever plugin provides it.
set -eu
root=$(dirname "$CMS_DB")
for list in "$root"/current/*/species.tsv; do
	sqlite3 -separator '|' "$CMS_DB" 'SELECT a.name, a.species, u.name FROM animal a
		JOIN "user" u ON u.id = a.user_id ORDER BY a.name' |
		while IFS='|' read -r name species owner; do
			called=$(awk -F '\t' -v s="$species" '$1 == s { print $2 }' "$list")
			echo "$name, $called, belongs to $owner"
		done
done
