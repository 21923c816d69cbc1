-- The tenant with most of some 100,000 rows of :"table", whose tenant column is :"column", as text.
-- It runs under the search path of the application.
SELECT one.tenant::pg_catalog.text AS tenant
FROM (SELECT r.:"column" AS tenant FROM :"table" AS r WHERE r.:"column" IS NOT NULL LIMIT 100000) AS one
GROUP BY one.tenant
ORDER BY pg_catalog.count(*) DESC, 1
LIMIT 1
