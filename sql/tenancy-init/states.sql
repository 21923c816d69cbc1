-- The states that some rows of the tenant table have, each once. Not more than $2 of them, from not more than $1 rows.
-- It runs under the search path of the application.
SELECT DISTINCT seen.state AS state
FROM (SELECT :"column"::pg_catalog.text COLLATE pg_catalog."C" AS state FROM :"table" WHERE :"column" IS NOT NULL LIMIT $1) AS seen
LIMIT $2
