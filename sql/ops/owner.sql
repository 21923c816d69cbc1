-- The owner of the schema tenant_ops, this login, whether it may act as the owner, and whether the application's login $1 may: it may
-- where this is that very login. No row where there is no such schema.
SELECT pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
       session_user::text AS login,
       pg_catalog.pg_has_role(session_user, n.nspowner, 'USAGE')
           OR CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000
                   THEN pg_catalog.pg_has_role(session_user, n.nspowner, 'SET')
                   ELSE pg_catalog.pg_has_role(session_user, n.nspowner, 'MEMBER') END AS may_act,
       coalesce((SELECT pg_catalog.pg_has_role(app.oid, n.nspowner, 'MEMBER') AND app.rolname <> session_user AND NOT app.rolsuper
                 FROM pg_catalog.pg_roles AS app WHERE app.rolname = $1), false) AS of_application
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname = 'tenant_ops'
