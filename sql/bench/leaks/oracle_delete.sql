-- Deletes all rows that may be deleted.
DELETE FROM :"table"
