-- Makes the row of the lease $1, which nobody holds, unless it is there. Whichever of its two keys is met first: an ON CONFLICT DO UPDATE names
-- one of them, and two processes that came at once would fail by the other.
INSERT INTO tenant_ops.lease (resource, fence, holder, acquired_at, heartbeat_at, released_at)
VALUES ($1, 0, '', clock_timestamp(), clock_timestamp(), clock_timestamp())
ON CONFLICT DO NOTHING
