-- Tenants that rows of a source name and that do not exist, the most frequent first.
SELECT s.:"source_tenant"::text, count(*)
FROM :"source" AS s
WHERE s.:"source_tenant" IS NOT NULL
  AND NOT EXISTS (SELECT FROM :"tenants" AS e WHERE e.:"tenant_key" = s.:"source_tenant" AND e.:"tenant_key"::text <> '')
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 20
