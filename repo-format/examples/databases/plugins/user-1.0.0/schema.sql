CREATE TABLE IF NOT EXISTS "user" (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
INSERT INTO "user" (id, name) VALUES (1, 'ada'), (2, 'grace'), (3, 'edsger') ON CONFLICT DO NOTHING;
