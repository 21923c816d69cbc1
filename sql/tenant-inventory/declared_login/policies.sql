-- The policies that name the role $1.
SELECT n.nspname::text AS schema, c.relname::text AS name, p.polname::text AS policy
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_roles AS r ON r.oid = ANY (p.polroles)
WHERE r.rolname = $1
ORDER BY 1, 2, 3
