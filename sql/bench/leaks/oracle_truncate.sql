-- Empties a table, with those that depend on it.
TRUNCATE :"table" CASCADE
