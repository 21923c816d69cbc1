-- The journal entries of the row with the key $2 of table $1, oldest first: which run gave it which tenant, from which source, and
-- whether that was taken back. An earlier layout has no column for what the row had before.
SELECT r.id AS run_id, r.job, j.tenant_id, to_jsonb(j) ->> 'before' AS before, r.sources[j.sources[array_position(j.row_keys, $2)]] AS source, j.written_at, r.login, r.host,
       r.tool_version, r.on_conflict, j.undone_at
FROM tenant_ops.journal AS j
JOIN tenant_ops.run AS r ON r.id = j.run_id
WHERE r.table_name = $1 AND j.row_keys @> ARRAY[$2]
ORDER BY j.id
