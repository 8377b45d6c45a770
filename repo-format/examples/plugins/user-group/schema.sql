CREATE TABLE IF NOT EXISTS user_group (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  owner_id INTEGER NOT NULL REFERENCES "user" (id)
);
INSERT OR IGNORE INTO user_group (id, name, owner_id) VALUES (1, 'keepers', 1);
