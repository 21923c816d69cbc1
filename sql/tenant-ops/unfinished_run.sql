-- The latest run on table $1 that was not finished, with the same rule for conflicts and the same sources, by whatever command it was begun.
SELECT id, pass, state, started_at
FROM tenant_ops.run
WHERE table_name = $1 AND on_conflict = $2 AND sources = $3 AND state IN ('running', 'paused', 'stopped')
ORDER BY id DESC
LIMIT 1
