-- The same as probe_rows.sql, of a table whose column points to a row that has the tenant: for each tenant also what the column holds there.
-- It runs under the search path of the application.
WITH chosen AS (
    (SELECT e.:"tenant_key" AS tenant, 1 AS choice
     FROM :"tenants" AS e
     WHERE e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) '' AND e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) ALL ($1::pg_catalog.text[])
       AND EXISTS (SELECT FROM :"parent" AS p JOIN :only :"target" AS t ON t.:"column" OPERATOR(pg_catalog.=) p.:"parent_key"
                   WHERE p.:"parent_tenant" OPERATOR(pg_catalog.=) e.:"tenant_key")
     LIMIT 2)
    UNION ALL
    (SELECT e.:"tenant_key", 2
     FROM :"tenants" AS e
     WHERE e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
       AND EXISTS (SELECT FROM :"parent" AS p JOIN :only :"target" AS t ON t.:"column" OPERATOR(pg_catalog.=) p.:"parent_key"
                   WHERE p.:"parent_tenant" OPERATOR(pg_catalog.=) e.:"tenant_key")
     LIMIT 2)
    ORDER BY choice
    LIMIT 2
)
SELECT chosen.tenant::pg_catalog.text AS tenant, few.keys, few.link, chosen.choice
FROM chosen
CROSS JOIN LATERAL (
    SELECT pg_catalog.jsonb_agg(found.k) AS keys, pg_catalog.min(found.link) AS link
    FROM (SELECT of_one.k, of_one.link
          FROM :"parent" AS p
          CROSS JOIN LATERAL (SELECT :key AS k, t.:"column"::pg_catalog.text AS link FROM :only :"target" AS t
                              WHERE t.:"column" OPERATOR(pg_catalog.=) p.:"parent_key") AS of_one
          WHERE p.:"parent_tenant" OPERATOR(pg_catalog.=) chosen.tenant
          LIMIT 3) AS found
) AS few
UNION ALL
SELECT NULL,
       (SELECT pg_catalog.jsonb_agg(found.k)
        FROM (SELECT of_one.k
              FROM :"parent" AS p
              CROSS JOIN LATERAL (SELECT :key AS k FROM :only :"target" AS t WHERE t.:"column" OPERATOR(pg_catalog.=) p.:"parent_key") AS of_one
              WHERE p.:"parent_tenant" IS NULL
              LIMIT 3) AS found),
       NULL, 3
ORDER BY choice
