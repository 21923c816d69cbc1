-- Those of the tables $2 in the schemas $1 that belong, or of which a partition or a child by inheritance belongs, to a role which this login has
-- no reason to trust: not its own, not one that it was made a member of, no superuser, neither the owner of the database nor that of the tenant
-- table $4 in schema $3, and none of $5. A superuser may act as any role, so that it may proves nothing. Whoever reads a table reads its children.
WITH RECURSIVE member AS (
    SELECT c.oid, c.oid AS root
    FROM unnest($1::text[], $2::text[]) AS t (schema, name)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
    UNION
    SELECT i.inhrelid, m.root
    FROM member AS m
    JOIN pg_inherits AS i ON i.inhparent = m.oid
)
SELECT rs.nspname::text AS root_schema, root.relname::text AS root_name, n.nspname::text AS schema, c.relname::text AS name,
       r.rolname::text AS owner
FROM member AS m
JOIN pg_class AS c ON c.oid = m.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS root ON root.oid = m.root
JOIN pg_namespace AS rs ON rs.oid = root.relnamespace
JOIN pg_roles AS r ON r.oid = c.relowner
JOIN pg_roles AS login ON login.rolname = session_user
WHERE NOT r.rolsuper
  AND r.oid <> login.oid
  AND NOT (NOT login.rolsuper AND pg_has_role(login.oid, r.oid, 'MEMBER'))
  AND r.oid <> (SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database())
  AND r.rolname <> ALL ($5::text[])
  AND NOT EXISTS (SELECT FROM pg_class AS t JOIN pg_namespace AS s ON s.oid = t.relnamespace
                  WHERE s.nspname = $3 AND t.relname = $4 AND t.relowner = r.oid)
ORDER BY 1, 2, 3, 4
