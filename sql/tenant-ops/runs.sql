-- Every run, newest first; or the run $1.
SELECT r.id, r.job, r.table_name, r.state, r.on_conflict, r.sources, r.login, r.host, r.tool_version, r.started_at, r.ended_at,
       (SELECT coalesce(sum(a), 0)::bigint FROM unnest(p.assigned_by) AS a) AS assigned, r.state_by, r.state_at, r.pass, p.examined, p.batches,
       p.ranges, p.ranges_done,
       u.undone, u.kept, u.since, u.last_at
FROM tenant_ops.run AS r
JOIN tenant_ops.progress AS p ON p.run_id = r.id
-- What was taken back of it, and, of that, what since its last undo began.
LEFT JOIN (SELECT j.run_id, sum(j.undone_rows)::bigint AS undone, sum(cardinality(j.sources) - j.undone_rows)::bigint AS kept,
                  coalesce(sum(cardinality(j.sources)) FILTER (WHERE j.undone_at >= s.state_at), 0)::bigint AS since,
                  max(j.undone_at) AS last_at
           FROM tenant_ops.journal AS j JOIN tenant_ops.run AS s ON s.id = j.run_id
           WHERE j.undone_at IS NOT NULL AND ($1::bigint IS NULL OR j.run_id = $1)
           GROUP BY j.run_id) AS u ON u.run_id = r.id
WHERE $1::bigint IS NULL OR r.id = $1
ORDER BY r.id DESC
