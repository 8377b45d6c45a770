CREATE TABLE IF NOT EXISTS "user" (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
INSERT OR IGNORE INTO "user" (id, name) VALUES (1, 'ada'), (2, 'grace');
