-- Inserts a row of which nothing is said, and shows it.
INSERT INTO :"table" DEFAULT VALUES RETURNING *
