-- Takes the lease $1 for holder $2 for $3 milliseconds if nobody holds it or it ran out: one row with the fence, or none.
INSERT INTO tenant_ops.lease AS l (resource, fence, holder, acquired_at, heartbeat_at, expires_at)
VALUES ($1, 1, $2, clock_timestamp(), clock_timestamp(), clock_timestamp() + $3 * interval '1 ms')
ON CONFLICT (resource) DO UPDATE
SET fence = l.fence + 1,
    holder = excluded.holder,
    acquired_at = excluded.acquired_at,
    heartbeat_at = excluded.heartbeat_at,
    expires_at = excluded.expires_at
WHERE l.expires_at < clock_timestamp()
RETURNING fence
