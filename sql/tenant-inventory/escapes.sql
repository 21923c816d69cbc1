-- Those of the roles $1 that row level security does not filter: superusers, BYPASSRLS, and owners of a table that $2 (schemas) and $3 (tables)
-- name.
SELECT r.rolname::text AS role,
       r.rolsuper AS superuser,
       r.rolbypassrls AS bypass_rls,
       owned.name AS owned
FROM pg_roles AS r
LEFT JOIN LATERAL (
    SELECT min(format('%s.%s', n.nspname, c.relname)) AS name
    FROM unnest($2::text[], $3::text[]) AS t (schema, name)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relowner = r.oid
) AS owned ON true
WHERE r.rolname = ANY ($1::text[]) AND (r.rolsuper OR r.rolbypassrls OR owned.name IS NOT NULL)
ORDER BY 1
