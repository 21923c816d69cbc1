-- What sources would do for a table: of up to $1 rows without a tenant, for how many each names one; and of up to as many others, from
-- $2 percent of the pages, for how many it names one, and for how many the right one.
-- It runs under the search path of the application.
WITH sample AS MATERIALIZED (
    (SELECT t.:"column":cast AS own, :vias FROM :whole AS t WHERE t.:"column" IS NULL LIMIT $1)
    UNION ALL
    (SELECT t.:"column":cast AS own, :vias FROM :whole AS t TABLESAMPLE pg_catalog.system ($2) WHERE t.:"column" IS NOT NULL LIMIT $1)
), said AS (
    SELECT l.own, :said FROM sample AS l :joins
)
SELECT pg_catalog.count(*) FILTER (WHERE own IS NULL) AS rows_without,
       pg_catalog.count(*) FILTER (WHERE own IS NOT NULL) AS rows_with,
       ARRAY[:resolves] AS resolves,
       ARRAY[:compared] AS compared,
       ARRAY[:agrees] AS agrees
FROM said
