-- The processes of run $1 and when each last gave a sign of life, in the order in which they came.
SELECT holder, workers, note, joined_at, heartbeat_at, heartbeat_at > clock_timestamp() - $2 * interval '1 ms'
FROM tenant_ops.member WHERE run_id = $1 ORDER BY id
