-- Any row of a table that sign-in is not declared to read; only the number of rows is asked for.
SELECT FROM :"target" AS t LIMIT 1
