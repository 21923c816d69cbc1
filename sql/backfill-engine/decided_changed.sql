-- Of the rows with the keys $1, those that do not have the tenant $2 that they were just given: a trigger or a rule changed it, or deleted them.
-- It runs under the search path of the application.
SELECT pg_catalog.cardinality($1::pg_catalog.text[]) OPERATOR(pg_catalog.-) pg_catalog.count(*) AS changed
FROM :whole AS t
WHERE :key_is_one_of AND t.:"column"::pg_catalog.text OPERATOR(pg_catalog.=) $2::pg_catalog.text
