-- Tenants that rows of a source name and that do not exist, the most frequent first.
-- It runs under the search path of the application.
SELECT s.:"source_tenant"::pg_catalog.text AS tenant, pg_catalog.count(*) AS rows
FROM :"source" AS s
WHERE s.:"source_tenant" IS NOT NULL
  AND NOT EXISTS (SELECT FROM :"tenants" AS e WHERE e.:"tenant_key" OPERATOR(pg_catalog.=) :compared_tenant AND e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) '')
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 20
