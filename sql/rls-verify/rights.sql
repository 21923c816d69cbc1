-- What the roles $3 may do with the tables $2 in the schemas $1: a row for each role that has a right, else one without a role. A table is
-- filtered for a role if row level security holds for it there. Rights on single columns count.
SELECT n.nspname::text AS schema, c.relname::text AS name, may.role, may.rights, coalesce(may.filtered, true) AS filtered
FROM unnest($1::text[], $2::text[]) AS t (schema, name)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
LEFT JOIN LATERAL (
    SELECT r.rolname::text AS role,
           role.position,
           ARRAY(SELECT p.name FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) WITH ORDINALITY AS p (name, position)
                 WHERE CASE WHEN p.name IN ('DELETE', 'TRUNCATE') THEN has_table_privilege(r.oid, c.oid, p.name)
                            ELSE has_any_column_privilege(r.oid, c.oid, p.name) END
                 ORDER BY p.position) AS rights,
           c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
             AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE')) AS filtered
    FROM unnest($3::text[]) WITH ORDINALITY AS role (name, position)
    JOIN pg_roles AS r ON r.rolname = role.name
    WHERE has_schema_privilege(r.oid, n.oid, 'USAGE')
) AS may ON may.rights <> '{}'
ORDER BY 1, 2, may.position
