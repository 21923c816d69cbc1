-- Keeps the lease $1 with fence $2 alive for $3 milliseconds: no row is changed where it was taken over.
UPDATE tenant_ops.lease
SET heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + $3 * interval '1 ms'
WHERE resource = $1 AND fence = $2
