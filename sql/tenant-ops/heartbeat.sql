-- Keeps the lease $1 with fence $2 alive: no row is changed where it was taken over.
UPDATE tenant_ops.lease
SET heartbeats = heartbeats + 1, heartbeat_at = clock_timestamp()
WHERE resource = $1 AND fence = $2
