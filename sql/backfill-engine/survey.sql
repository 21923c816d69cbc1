-- Every row that is to get a tenant, by what its sources say: one tenant, several, none.
-- It runs under the search path of the application.
WITH decided AS (
    SELECT :decision IS NOT NULL AS assignable, :lowest IS NOT NULL AS named
    FROM (SELECT :tenants
          FROM (SELECT :rows FROM (SELECT :vias FROM :whole AS t WHERE :open) AS l) AS l
          :joins) AS resolved
)
SELECT pg_catalog.count(*) FILTER (WHERE assignable) AS assignable,
       pg_catalog.count(*) FILTER (WHERE named AND NOT assignable) AS conflicts,
       pg_catalog.count(*) FILTER (WHERE NOT named AND NOT assignable) AS unresolved
FROM decided
