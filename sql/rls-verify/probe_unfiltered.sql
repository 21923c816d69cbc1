-- Whether a policy of any of the tables $3 in the schemas $2 does not hold for the role $1.
SELECT r.rolsuper OR r.rolbypassrls OR EXISTS (
    SELECT FROM unnest($2::text[], $3::text[]) AS t (schema, name)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
    WHERE NOT c.relrowsecurity OR (NOT c.relforcerowsecurity AND pg_has_role(r.oid, c.relowner, 'USAGE')))
FROM pg_roles AS r
WHERE r.rolname = $1
