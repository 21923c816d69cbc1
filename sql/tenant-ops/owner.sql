-- The owner of the schema tenant_ops and this login: whether it may act as the owner; whether the application's login $1 may, if that is
-- another; whether this login is a superuser, who may act as anybody; and whether the owner is one, or owns the database or the tenant table
-- $3 in schema $2. No row where there is no such schema.
SELECT pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
       session_user::text AS login,
       pg_catalog.pg_has_role(session_user, n.nspowner, 'USAGE')
           OR CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000
                   THEN pg_catalog.pg_has_role(session_user, n.nspowner, 'SET')
                   ELSE pg_catalog.pg_has_role(session_user, n.nspowner, 'MEMBER') END AS may_act,
       coalesce((SELECT pg_catalog.pg_has_role(app.oid, n.nspowner, 'MEMBER') AND app.rolname <> session_user AND NOT app.rolsuper
                 FROM pg_catalog.pg_roles AS app WHERE app.rolname = $1), false) AS of_application,
       (SELECT login.rolsuper FROM pg_catalog.pg_roles AS login WHERE login.rolname = session_user) AS of_superuser,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.oid = n.nspowner)
           OR EXISTS (SELECT FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database() AND d.datdba = n.nspowner)
           OR EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
                      WHERE s.nspname = $2 AND c.relname = $3 AND c.relowner = n.nspowner) AS owns_the_rest
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname = 'tenant_ops'
