-- Of the rows that run $1 gave a tenant and that were not taken back: how many there were, and how many still have it. An entry with the empty
-- string gave its rows none.
-- It runs under the search path of the application.
SELECT pg_catalog.count(*) AS all_rows, pg_catalog.count(t.:"key") AS still_ours
FROM tenant_ops.journal AS j
CROSS JOIN LATERAL pg_catalog.unnest(j.row_keys) AS k (row_key)
LEFT JOIN :whole AS t
  ON :key_is_named
 AND CASE WHEN j.tenant_id OPERATOR(pg_catalog.=) '' THEN t.:"column" IS NULL
          ELSE t.:"column" OPERATOR(pg_catalog.=) j.tenant_id:::type END
WHERE j.run_id OPERATOR(pg_catalog.=) $1 AND j.undone_at IS NULL
