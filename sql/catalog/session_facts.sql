-- What the session is and may do, in one round trip; the last columns tell whether pg_control may be read,
-- and whether a setting that the connection began with arrived, which a pooler does not pass on.
SELECT current_setting('server_version_num')::int,
       current_setting('server_version'),
       current_database()::text,
       current_user::text,
       session_user::text,
       r.rolsuper,
       r.rolbypassrls,
       pg_is_in_recovery(),
       current_setting('default_transaction_read_only')::bool,
       has_database_privilege(current_database(), 'CREATE'),
       has_function_privilege('pg_control_system()', 'EXECUTE'),
       current_setting('tenant_rls.direct', true) IS NOT NULL
FROM pg_roles r
WHERE r.rolname = current_user
