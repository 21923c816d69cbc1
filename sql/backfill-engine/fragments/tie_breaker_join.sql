-- A fragment of FROM. It needs rows `l` with the compared columns and their number `nth`, and the joins of all sources before it.
-- The tie-breaker where the sources of a row name several tenants: the one of these that has a row with equal columns, if only one has. It is
-- looked for tenant by tenant, so that an index which leads with the tenant serves, and for the first of rows that are alike.
-- It runs under the search path of the application.
LEFT JOIN LATERAL (
    SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN (pg_catalog.array_agg(c.candidate))[1] END AS tenant
    FROM (:candidates) AS c (candidate)
    WHERE l.nth OPERATOR(pg_catalog.=) 1 AND :lowest OPERATOR(pg_catalog.<>) :highest
      AND EXISTS (SELECT FROM :"tie_breaker" AS x WHERE x.:"tie_breaker_tenant" OPERATOR(pg_catalog.=) :candidate AND :equal)
) AS :"s" ON true
