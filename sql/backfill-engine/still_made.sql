-- How many of the rows with the keys $1 are as the transaction $2 made them, and have nothing that points to them.
-- It runs under the search path of the application.
SELECT pg_catalog.count(*)
FROM :whole AS t
WHERE :key_is_one_of
  AND t.xmin::pg_catalog.text OPERATOR(pg_catalog.=) $2
  AND t.:"column" IS NOT NULL
  AND :unreferenced
