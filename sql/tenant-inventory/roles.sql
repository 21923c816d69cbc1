-- The roles $1: whether each exists, whether this login can act as it, which of the schemas $2 it may not look into, and who owns the table $3.$4
-- and cannot act as it. The first of the roles is the application's, which is to act as none.
SELECT wanted.name, r.oid IS NOT NULL AS is_there,
       -- From 16 on, a member may lack the option to become the role: its maker is one with ADMIN alone.
       coalesce(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role(current_user, r.oid, 'SET')
                     ELSE pg_has_role(current_user, r.oid, 'MEMBER') END, false) AS assumable,
       -- A role that is yet to be made will have what everybody has.
       ARRAY(SELECT n.nspname::text FROM pg_namespace AS n
             WHERE n.nspname = ANY ($2::text[]) AND NOT has_schema_privilege(coalesce(r.rolname, 'public'), n.oid, 'USAGE')
             ORDER BY n.nspname) AS closed_schemas,
       (SELECT owner.rolname::text FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_roles AS owner ON owner.oid = c.relowner
        WHERE n.nspname = $3 AND c.relname = $4 AND owner.rolname <> ($1::text[])[1] AND owner.rolname <> wanted.name
          AND NOT coalesce(pg_has_role(owner.oid, r.oid, 'MEMBER'), false)) AS owner_without
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, position)
LEFT JOIN pg_roles AS r ON r.rolname = wanted.name
ORDER BY wanted.position
