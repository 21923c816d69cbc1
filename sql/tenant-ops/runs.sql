-- Every run, newest first; or the run $1.
SELECT r.id, r.job, r.table_name, r.state, r.on_conflict, r.sources, r.login, r.host, r.tool_version, r.started_at, r.ended_at,
       (SELECT coalesce(sum(a), 0)::bigint FROM unnest(p.assigned_by) AS a) AS assigned, r.state_by, r.state_at, r.pass, p.examined, p.batches,
       p.ranges, p.ranges_done
FROM tenant_ops.run AS r
JOIN tenant_ops.progress AS p ON p.run_id = r.id
WHERE $1::bigint IS NULL OR r.id = $1
ORDER BY r.id DESC
