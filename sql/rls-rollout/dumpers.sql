-- Logins that row level security does not filter and that may read all of the tables $2 in the schemas $1: who can still dump them.
SELECT r.rolname::text
FROM pg_roles AS r
WHERE r.rolcanlogin AND (r.rolsuper OR r.rolbypassrls)
  AND NOT EXISTS (SELECT
                  FROM unnest($1::text[], $2::text[]) AS t (schema, name)
                  JOIN pg_namespace AS n ON n.nspname = t.schema
                  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
                  WHERE NOT has_table_privilege(r.oid, c.oid, 'SELECT'))
ORDER BY 1
LIMIT 5
