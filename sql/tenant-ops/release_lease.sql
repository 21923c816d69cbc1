-- Gives the lease $1 with fence $2 back. The row stays, so that the fence never starts over.
UPDATE tenant_ops.lease SET released_at = clock_timestamp() WHERE resource = $1 AND fence = $2
