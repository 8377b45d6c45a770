SELECT name FROM "user" ORDER BY id
