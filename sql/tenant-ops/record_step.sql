-- Writes a step of the rollout $1 down.
INSERT INTO tenant_ops.rollout_step (rollout_id, schema_name, table_name, phase, step, statements, changes)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id
