-- Whether the lock that take_proof_lock.sql took on another connection is seen here, and which database this is.
SELECT EXISTS (SELECT FROM pg_locks AS l
               WHERE l.locktype = 'advisory' AND l.granted AND l.database = d.oid AND l.objsubid = 1
                 AND l.classid::bigint = :'class'::bigint AND l.objid::bigint = :'object'::bigint AND l.pid <> pg_backend_pid()) AS seen,
       current_database()::text AS database,
       d.oid::bigint AS database_oid,
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS server_since
FROM pg_database AS d
WHERE d.datname = current_database()
