-- Takes the lease $1 for holder $2 if nobody holds it, or whoever holds it still has the fence $3 and has given no heartbeat since the $4th:
-- one row with the new fence, or none.
INSERT INTO tenant_ops.lease AS l (resource, fence, holder, acquired_at, heartbeat_at)
VALUES ($1, 1, $2, clock_timestamp(), clock_timestamp())
ON CONFLICT (resource) DO UPDATE
SET fence = l.fence + 1,
    holder = excluded.holder,
    acquired_at = excluded.acquired_at,
    heartbeat_at = excluded.heartbeat_at,
    heartbeats = 0,
    released_at = NULL
WHERE l.released_at IS NOT NULL OR (l.fence = $3 AND l.heartbeats = $4)
RETURNING fence
