-- A few rows of two tenants that the tenant table has, and a few without a tenant, each with its key: what the attempts are made on. The tenants
-- in $1, which are not in use, are taken where no others have rows.
-- It runs under the search path of the application.
WITH chosen AS (
    (SELECT e.:"tenant_key" AS tenant, 1 AS choice
     FROM :"tenants" AS e
     WHERE e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) '' AND e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) ALL ($1::pg_catalog.text[])
       AND EXISTS (SELECT FROM :only :"target" AS t WHERE t.:"column" OPERATOR(pg_catalog.=) e.:"tenant_key")
     LIMIT 2)
    UNION ALL
    (SELECT e.:"tenant_key", 2
     FROM :"tenants" AS e
     WHERE e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]) AND EXISTS (SELECT FROM :only :"target" AS t WHERE t.:"column" OPERATOR(pg_catalog.=) e.:"tenant_key")
     LIMIT 2)
    ORDER BY choice
    LIMIT 2
)
SELECT tenant::pg_catalog.text AS tenant,
       (SELECT pg_catalog.jsonb_agg(k) FROM (SELECT :key AS k FROM :only :"target" AS t WHERE t.:"column" OPERATOR(pg_catalog.=) chosen.tenant LIMIT 3) AS few) AS keys, choice
FROM chosen
UNION ALL
SELECT NULL, (SELECT pg_catalog.jsonb_agg(k) FROM (SELECT :key AS k FROM :only :"target" AS t WHERE t.:"column" IS NULL LIMIT 3) AS few), 3
ORDER BY choice
