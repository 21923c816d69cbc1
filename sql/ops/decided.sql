-- Which of the rows $2 of table $1 were given the tenants $3 by what people decided, and not taken back; and by which run.
SELECT a.nth, max(j.run_id)
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS a (row_key, tenant, nth)
JOIN (SELECT k.row_key, j.tenant_id, j.run_id
      FROM tenant_ops.run AS r
      JOIN tenant_ops.journal AS j ON j.run_id = r.id
      CROSS JOIN LATERAL unnest(j.row_keys) AS k (row_key)
      WHERE r.table_name = $1 AND r.job = $4 AND j.undone_at IS NULL) AS j ON j.row_key = a.row_key AND j.tenant_id = a.tenant
GROUP BY a.nth
