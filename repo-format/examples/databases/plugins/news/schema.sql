CREATE TABLE IF NOT EXISTS news (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  user_id INTEGER REFERENCES "user" ON DELETE SET NULL
);
INSERT INTO news (id, text, user_id) VALUES (1, 'We are open', 1), (2, 'New cakes', NULL) ON CONFLICT DO NOTHING;
