-- The role $1, and what of it makes it more than a login that policies filter; and this login, which may make it or not. One row, also where there
-- is no such role.
SELECT r.oid::bigint AS id, me.rolname::text AS this_login, me.rolsuper OR me.rolcreaterole AS may_create,
       coalesce(r.rolcanlogin, false) AS can_login, coalesce(r.rolsuper, false) AS superuser, coalesce(r.rolbypassrls, false) AS bypass_rls,
       coalesce(r.rolcreaterole, false) AS create_role, coalesce(r.rolreplication, false) AS replication,
       (SELECT min(format('%s.%s', n.nspname, c.relname)) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')) AS owned
FROM pg_roles AS me
LEFT JOIN pg_roles AS r ON r.rolname = $1
WHERE me.rolname = current_user
