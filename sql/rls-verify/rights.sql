-- What the roles $3 may do with the tables $2 in the schemas $1, or with a partition of one: a row for each role that has a right, else one without
-- a role. A table is filtered for a role if row level security holds for it there; a partition that is read directly has its own. Rights on single
-- columns count.
SELECT n.nspname::text AS schema, c.relname::text AS name, may.role, may.rights, coalesce(may.filtered, true) AS filtered
FROM unnest($1::text[], $2::text[]) AS t (schema, name)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
LEFT JOIN LATERAL (
    SELECT r.rolname::text AS role,
           role.position,
           ARRAY(SELECT p.name FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) WITH ORDINALITY AS p (name, position)
                 WHERE CASE WHEN p.name IN ('DELETE', 'TRUNCATE') THEN has_table_privilege(r.oid, m.oid, p.name)
                            ELSE has_any_column_privilege(r.oid, m.oid, p.name) END
                 ORDER BY p.position) AS rights,
           m.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
             AND (m.relforcerowsecurity OR NOT pg_has_role(r.oid, m.relowner, 'USAGE')) AS filtered
    FROM (SELECT c.oid UNION SELECT p.relid::oid FROM pg_partition_tree(c.oid) AS p) AS tree (relid)
    JOIN pg_class AS m ON m.oid = tree.relid
    CROSS JOIN unnest($3::text[]) WITH ORDINALITY AS role (name, position)
    JOIN pg_roles AS r ON r.rolname = role.name
    WHERE has_schema_privilege(r.oid, m.relnamespace, 'USAGE')
) AS may ON may.rights <> '{}'
ORDER BY 1, 2, may.position
