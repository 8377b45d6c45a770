SELECT animal.name, "user".name FROM animal JOIN "user" ON "user".id = user_id ORDER BY animal.id
