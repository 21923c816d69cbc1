-- What the session is and may do, in one round trip; whether pg_control may be read, and whether a setting that the connection
-- began with arrived, which a pooler does not pass on.
SELECT current_setting('server_version_num')::int AS server_version_num,
       current_setting('server_version') AS server_version,
       current_database()::text AS database,
       d.oid::bigint AS database_oid,
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS server_since,
       current_user::text AS role,
       session_user::text AS session_user,
       r.rolsuper AS superuser,
       r.rolbypassrls AS bypass_rls,
       pg_is_in_recovery() AS in_recovery,
       current_setting('default_transaction_read_only')::bool AS read_only,
       current_setting('session_replication_role') = 'replica' AS replica,
       has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
       has_function_privilege('pg_control_system()', 'EXECUTE') AS may_read_control,
       current_setting('tenant_rls.direct', true) IS NOT NULL AS passed_on,
       -- Superusers are not bound by these limits.
       CASE WHEN NOT l.rolsuper THEN
           least(CASE WHEN l.rolconnlimit >= 0 THEN
                     l.rolconnlimit - (SELECT count(*) FROM pg_stat_activity AS a WHERE a.usesysid = l.oid AND a.pid <> pg_backend_pid()) END,
                 CASE WHEN d.datconnlimit >= 0 THEN
                     d.datconnlimit - (SELECT count(*) FROM pg_stat_activity AS a WHERE a.datid = d.oid AND a.pid <> pg_backend_pid()) END)
       END AS connections_left
FROM pg_roles AS r, pg_roles AS l, pg_database AS d
WHERE r.rolname = current_user AND l.rolname = session_user AND d.datname = current_database()
