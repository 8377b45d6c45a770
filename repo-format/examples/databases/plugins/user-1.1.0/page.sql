SELECT name, email FROM "user" ORDER BY id
