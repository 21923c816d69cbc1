-- Begins a run of job $1 on table $2.
INSERT INTO tenant_ops.run (job, table_name, state, on_conflict, sources, tool_version, host, assigned_by)
VALUES ($1, $2, 'running', $3, $4, $5, $6, array_fill(0::bigint, ARRAY[cardinality($4::text[])]))
RETURNING id
