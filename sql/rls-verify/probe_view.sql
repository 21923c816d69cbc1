-- The view $1 by schema and name; its tenant column, if it shows one of $2; and the first of the roles $3 that may read it, if any.
SELECT n.nspname::text AS schema, c.relname::text AS name,
       (SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($2)
        ORDER BY array_position($2, a.attname::text) LIMIT 1) AS tenant_column,
       (SELECT role.name
        FROM unnest($3::text[]) WITH ORDINALITY AS role (name, position)
        WHERE has_schema_privilege(role.name, n.oid, 'USAGE') AND has_any_column_privilege(role.name, c.oid, 'SELECT')
        ORDER BY role.position
        LIMIT 1) AS reader
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE format('%s.%s', n.nspname, c.relname) = $1 AND c.relkind IN ('v', 'm')
