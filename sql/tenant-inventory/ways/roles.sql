-- The roles of the server, each with the roles that it is a member of and what the membership allows.
SELECT r.oid::bigint AS id,
       r.rolname::text AS role,
       quote_ident(r.rolname) AS printed,
       r.rolsuper AS superuser,
       r.rolbypassrls AS bypass_rls,
       r.rolreplication AS replication,
       r.rolcreaterole AS create_role,
       -- Before 16 a member may always become the role, and inherits by an option of its own. to_jsonb, as older servers lack the columns.
       (SELECT coalesce(json_agg(json_build_object(
                   'of', m.roleid::bigint,
                   'admin', m.admin_option,
                   'inherit', coalesce((to_jsonb(m) ->> 'inherit_option')::bool, r.rolinherit),
                   'set', coalesce((to_jsonb(m) ->> 'set_option')::bool, true)) ORDER BY m.roleid), '[]')
        FROM pg_auth_members AS m WHERE m.member = r.oid) AS memberships
FROM pg_roles AS r
ORDER BY r.rolname
