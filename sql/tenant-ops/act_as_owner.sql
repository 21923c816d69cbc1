-- Acts as the owner of the schema tenant_ops until the transaction ends, where this login may and is not acting as that role already: the role
-- that it acted as before. No row where there is no such schema.
SELECT pg_catalog.current_setting('role') AS role_before,
       CASE WHEN pg_catalog.pg_get_userbyid(n.nspowner) <> current_user
             AND CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000
                      THEN pg_catalog.pg_has_role(session_user, n.nspowner, 'SET')
                      ELSE pg_catalog.pg_has_role(session_user, n.nspowner, 'MEMBER') END
            THEN pg_catalog.set_config('role', pg_catalog.pg_get_userbyid(n.nspowner), true) END AS role_now
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname = 'tenant_ops'
