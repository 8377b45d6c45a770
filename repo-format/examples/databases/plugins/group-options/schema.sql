CREATE TABLE IF NOT EXISTS group_option (name TEXT PRIMARY KEY);
INSERT INTO group_option (name) VALUES ('newsletter') ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS user_group_option (
  user_group TEXT NOT NULL REFERENCES user_group ON DELETE CASCADE,
  group_option TEXT NOT NULL REFERENCES group_option ON DELETE CASCADE,
  PRIMARY KEY (user_group, group_option)
);
