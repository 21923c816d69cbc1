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
                   'inherit', coalesce((m.options ->> 'inherit_option')::bool, r.rolinherit),
                   'set', coalesce((m.options ->> 'set_option')::bool, true)) ORDER BY m.roleid), '[]')
        FROM (SELECT member.roleid, member.member, member.admin_option, to_jsonb(member) AS options FROM pg_auth_members AS member
              UNION ALL
              -- Who owns the database is a member of pg_database_owner, which the catalog does not say.
              SELECT owner.oid, d.datdba, false, '{}'
              FROM pg_database AS d JOIN pg_roles AS owner ON owner.rolname = 'pg_database_owner' WHERE d.datname = current_database()
             ) AS m WHERE m.member = r.oid) AS memberships
FROM pg_roles AS r
ORDER BY r.rolname
