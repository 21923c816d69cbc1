-- Writes a step of the rollout $1 down, if the lease on $8 is still held with the fence $9. The lease is locked until the transaction ends, so
-- that a take-over waits for that. No row where somebody has already taken it over.
WITH held AS (SELECT FROM tenant_ops.lease WHERE resource = $8 AND fence = $9 FOR KEY SHARE)
INSERT INTO tenant_ops.rollout_step (rollout_id, schema_name, table_name, phase, step, statements, changes)
SELECT $1::bigint, $2::text, $3::text, $4::text, $5::text, $6::text[], $7::jsonb
FROM held
RETURNING id
