CREATE TABLE IF NOT EXISTS "user" (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  email TEXT
);
INSERT INTO "user" (id, name, email) VALUES
  (1, 'ada', 'ada@example.org'), (2, 'grace', 'grace@example.org'), (3, 'edsger', 'edsger@example.org')
  ON CONFLICT DO NOTHING;
