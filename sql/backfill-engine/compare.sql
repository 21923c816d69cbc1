-- Every row without a tenant beside the tenant $1: how many there are, of how many sources or tie-breakers tell the tenant, and of how
-- many they tell another.
-- It runs under the search path of the application.
SELECT pg_catalog.count(*) AS rows,
       pg_catalog.count(tenant) AS told,
       pg_catalog.count(*) FILTER (WHERE tenant::pg_catalog.text OPERATOR(pg_catalog.<>) $1) AS told_another
FROM (SELECT :decision AS tenant
      FROM (SELECT :tenants
            FROM (SELECT :rows FROM (SELECT :vias FROM :whole AS t WHERE :open) AS l) AS l
            :joins) AS resolved) AS decided
