-- Which of the rows $2 of table $1 were given the tenants $3 by what people decided, and not taken back; and by which run.
WITH entry AS MATERIALIZED (
    SELECT j.run_id, j.tenant_id, j.row_keys
    FROM tenant_ops.journal AS j
    JOIN tenant_ops.run AS r ON r.id = j.run_id
    WHERE j.decided AND j.row_keys && $2::text[] AND j.undone_at IS NULL AND r.table_name = $1
)
SELECT max(nth) AS nth, max(run_id) AS run_id
FROM (SELECT row_key, tenant AS tenant_id, nth, NULL AS run_id
      FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS a (row_key, tenant, nth)
      UNION ALL
      SELECT k.row_key, e.tenant_id, NULL, e.run_id FROM entry AS e CROSS JOIN LATERAL unnest(e.row_keys) AS k (row_key)) AS both_of_them
GROUP BY row_key, tenant_id
HAVING max(nth) IS NOT NULL AND max(run_id) IS NOT NULL
