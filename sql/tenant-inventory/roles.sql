-- The roles $1: whether each exists, whether this login can act as it, which of the schemas $2 it may not look into, and who owns the table $3.$4
-- and cannot act as it. The first of the roles is the application's, which is to act as none. Besides, of the role through which logins act as
-- each without inheriting it ($5): whether it exists and is a member; and which of this login and that owner inherit the role all the same.
WITH heirs AS (
    SELECT h.oid, h.rolname
    FROM pg_roles AS h
    WHERE NOT h.rolsuper
      AND (h.rolname = current_user
           OR h.oid = (SELECT c.relowner FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $3 AND c.relname = $4))
)
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
          AND NOT coalesce(pg_has_role(owner.oid, r.oid, 'MEMBER'), false)) AS owner_without,
       between.oid IS NOT NULL AS between_exists,
       coalesce(pg_has_role(between.oid, r.oid, 'MEMBER'), false) AS between_is_member,
       ARRAY(SELECT heir.rolname::text FROM heirs AS heir WHERE pg_has_role(heir.oid, r.oid, 'USAGE') ORDER BY 1) AS heirs,
       ARRAY(SELECT heir.rolname::text FROM heirs AS heir
             WHERE pg_has_role(heir.oid, r.oid, 'USAGE')
               AND EXISTS (SELECT FROM pg_auth_members AS m WHERE m.roleid = r.oid AND m.member = heir.oid)
               -- What a superuser grants is granted by the first one. From 16 on, what others granted stands beside it.
               AND NOT EXISTS (SELECT FROM pg_auth_members AS m
                               WHERE m.roleid = r.oid AND m.member = heir.oid AND m.grantor <> 10 AND (to_jsonb(m) ->> 'inherit_option')::bool)
             ORDER BY 1) AS direct_heirs,
       (SELECT login.rolsuper OR login.rolcreaterole AND current_setting('server_version_num')::int < 160000
        FROM pg_roles AS login WHERE login.rolname = current_user) AS may_replace
FROM unnest($1::text[], $5::text[]) WITH ORDINALITY AS wanted (name, between, position)
LEFT JOIN pg_roles AS r ON r.rolname = wanted.name
LEFT JOIN pg_roles AS between ON between.rolname = wanted.between
ORDER BY wanted.position
