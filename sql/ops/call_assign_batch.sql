-- One batch; see assign_batch.sql. The range comes as text, which is how a tid is written.
SELECT examined, assigned, assigned_by
FROM tenant_ops.assign_batch($1, $2, $3, $4, $5, $6::text::tid, $7::text::tid, $8)
