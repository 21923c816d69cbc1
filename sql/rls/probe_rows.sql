-- A few rows of the two tenants that have most of them here, and a few without one, each with its key: what the attempts are made on.
WITH few AS (
    SELECT (SELECT array_agg(k) FROM (SELECT t.:"key"::text AS k FROM ONLY :"target" AS t WHERE t.:"column" = e.:"tenant_key" LIMIT 3) AS rows) AS keys,
           e.:"tenant_key"::text AS tenant
    FROM :"tenants" AS e
    WHERE e.:"tenant_key"::text <> '' AND EXISTS (SELECT FROM ONLY :"target" AS t WHERE t.:"column" = e.:"tenant_key")
    LIMIT 2
)
SELECT tenant, keys FROM few
UNION ALL
SELECT NULL, array_agg(k) FROM (SELECT t.:"key"::text AS k FROM ONLY :"target" AS t WHERE t.:"column" IS NULL LIMIT 3) AS rows
