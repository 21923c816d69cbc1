-- Who holds the lease $1 since when, and how many heartbeats they gave.
SELECT holder, acquired_at, fence, heartbeats FROM tenant_ops.lease WHERE resource = $1
