-- Takes what the ranges of run $1 counted over into the run, and the ranges away.
UPDATE tenant_ops.run AS r
SET examined = p.examined, batches = p.batches, assigned_by = p.assigned_by
FROM tenant_ops.progress AS p
WHERE r.id = $1 AND p.run_id = r.id
