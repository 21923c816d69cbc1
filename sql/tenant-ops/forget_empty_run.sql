-- Forgets run $1 if it is done and wrote nothing.
DELETE FROM tenant_ops.run AS r
WHERE r.id = $1 AND r.state = 'done' AND NOT EXISTS (SELECT FROM tenant_ops.journal AS j WHERE j.run_id = r.id)
