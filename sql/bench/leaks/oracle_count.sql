-- How many rows a relation shows; this needs no right on more than one column.
SELECT count(*)::text AS shown FROM :"table" AS r
