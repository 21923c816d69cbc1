-- Notes that the table refused row $2 of run $1, and what the server said.
INSERT INTO tenant_ops.refused (run_id, row_key, error) VALUES ($1, $2, $3)
ON CONFLICT (run_id, row_key) DO UPDATE SET error = excluded.error
