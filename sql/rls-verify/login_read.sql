-- One row with the columns that sign-in is declared to read; only the number of rows is asked for.
SELECT :columns FROM :"target" AS t LIMIT 1
