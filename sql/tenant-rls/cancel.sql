-- Cancels what the backend runs, if this is its server: a connection that is made later may have led to another one.
SELECT pg_cancel_backend(:'backend'::int)
FROM pg_database AS d
WHERE d.datname = current_database() AND d.oid::bigint = :'database_oid'::bigint
  AND to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') = :'server_since'
