-- Takes the lease $1, whose row is there, for holder $2 if nobody holds it, or whoever holds it still has the fence $3 and has given no
-- heartbeat since the $4th: one row with the new fence, or none.
UPDATE tenant_ops.lease
SET fence = fence + 1,
    holder = $2,
    acquired_at = clock_timestamp(),
    heartbeat_at = clock_timestamp(),
    heartbeats = 0,
    released_at = NULL
WHERE resource = $1 AND (released_at IS NOT NULL OR (fence = $3 AND heartbeats = $4))
RETURNING fence
