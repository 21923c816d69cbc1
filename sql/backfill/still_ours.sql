-- Of the rows that run $1 gave a tenant and that were not taken back: how many there were, and how many still have it.
SELECT count(*), count(t.:"column")
FROM tenant_ops.journal AS j
CROSS JOIN LATERAL unnest(j.row_keys) AS k (row_key)
LEFT JOIN :whole AS t ON :key_is_named AND t.:"column" = j.tenant_id:::type
WHERE j.run_id = $1 AND j.undone_at IS NULL
