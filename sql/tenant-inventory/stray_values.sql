-- The values of a tenant column that are no tenant's key, the most frequent first, no more than $1 of them, each with its rows; and how many
-- values and rows there are.
-- It runs under the search path of the application.
SELECT value, rows, pg_catalog.count(*) OVER () AS all_values, pg_catalog.sum(rows) OVER ()::bigint AS all_rows
FROM (SELECT t.:"column"::pg_catalog.text AS value, pg_catalog.count(*) AS rows
      FROM :only :"table" AS t
      WHERE t.:"column" IS NOT NULL AND NOT EXISTS (
          SELECT FROM :"tenants" AS q
          WHERE q.:"key":cast OPERATOR(pg_catalog.=) t.:"column":cast AND q.:"key"::pg_catalog.text OPERATOR(pg_catalog.<>) '')
      GROUP BY 1) AS stray
ORDER BY rows DESC, value COLLATE pg_catalog."C"
LIMIT $1
