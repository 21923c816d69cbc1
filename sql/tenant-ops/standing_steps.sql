-- The steps that were not taken back, first one first.
SELECT id, rollout_id, schema_name, table_name, phase, changes
FROM tenant_ops.rollout_step
WHERE undone_by IS NULL
ORDER BY id
