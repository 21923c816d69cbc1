-- The processes of run $1 and when each last gave a sign of life, in the order in which they came. One is alive whose sign of life is no more
-- than $2 milliseconds from now: on either side, as the server's clock can be set back.
SELECT holder, workers, note, joined_at, heartbeat_at,
       heartbeat_at BETWEEN clock_timestamp() - $2 * interval '1 ms' AND clock_timestamp() + $2 * interval '1 ms' AS alive
FROM tenant_ops.run_process WHERE run_id = $1 ORDER BY id
