-- Evidence where the sources of a row name several tenants: the one of these that has a row with equal columns, if only one has. It is
-- looked for tenant by tenant, so that an index which leads with the tenant serves, and for the first of rows that are alike.
LEFT JOIN LATERAL (
    SELECT CASE count(*) WHEN 1 THEN (array_agg(c.candidate))[1] END AS tenant
    FROM (:candidates) AS c (candidate)
    WHERE l.nth = 1 AND :lowest <> :highest
      AND EXISTS (SELECT FROM :"evidence" AS x WHERE x.:"evidence_tenant" = c.candidate AND :equal)
) AS :"s" ON true
