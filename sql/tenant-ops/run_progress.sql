-- The progress of run $1: its state, who set it and when, its pass, what all processes did, ranges that are not finished, and processes
-- whose sign of life is no more than $2 milliseconds from now.
SELECT r.state, r.state_by, r.state_at, r.pass, p.examined, p.batches, p.assigned_by, p.ranges - p.ranges_done AS open_ranges,
       (SELECT count(*) FROM tenant_ops.run_process AS m
        WHERE m.run_id = r.id
          AND m.heartbeat_at BETWEEN clock_timestamp() - $2 * interval '1 ms' AND clock_timestamp() + $2 * interval '1 ms') AS processes
FROM tenant_ops.run AS r
JOIN tenant_ops.progress AS p ON p.run_id = r.id
WHERE r.id = $1
