CREATE TABLE IF NOT EXISTS animal (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  species TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES "user" (id)
);
INSERT OR IGNORE INTO animal (id, name, species, user_id) VALUES
  (1, 'Rex', 'dog', 1), (2, 'Tom', 'cat', 2);
