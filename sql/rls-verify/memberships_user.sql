-- A user of the rows $1, and how many of these rows are theirs.
SELECT t.:"user"::pg_catalog.text AS user_id, pg_catalog.count(*) AS rows
FROM :only :"target" AS t
WHERE :given AND t.:"user"::pg_catalog.text OPERATOR(pg_catalog.<>) ''
GROUP BY 1
LIMIT 1
