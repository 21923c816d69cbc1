-- Locks a range of run $1 that nobody works on and that is not at its end, $2 if that is one: none where the run is not running.
SELECT l.id, l.leaf, l.next_tid::text AS next_tid, l.until_tid::text AS until_tid
FROM tenant_ops.range AS l
JOIN tenant_ops.run AS r ON r.id = l.run_id
WHERE l.run_id = $1 AND l.next_tid < l.until_tid AND r.state = 'running'
ORDER BY l.id <> $2, l.id
LIMIT 1
FOR NO KEY UPDATE OF l SKIP LOCKED
