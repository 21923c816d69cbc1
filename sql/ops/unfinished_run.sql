-- The latest run of job $1 on table $2 that was not finished, with the same rule for conflicts and the same sources.
SELECT id, pass, next_tid::text, started_at
FROM tenant_ops.run
WHERE job = $1 AND table_name = $2 AND on_conflict = $3 AND sources = $4 AND state <> 'done'
ORDER BY id DESC
LIMIT 1
