SELECT text FROM news ORDER BY id
