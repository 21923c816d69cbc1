-- Empties a column of all rows that may be updated. Without a condition, the policies for reading do not count.
UPDATE :"table" SET :"column" = NULL
