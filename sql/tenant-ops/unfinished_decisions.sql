-- Takes up the latest run of job $2 on table $1 that was not finished, as running.
UPDATE tenant_ops.run
SET state = 'running', ended_at = NULL
WHERE id = (SELECT max(id) FROM tenant_ops.run WHERE table_name = $1 AND job = $2 AND state IN ('running', 'stopped'))
RETURNING id
