-- Those of the tables $2 in the schemas $1, and of their partitions, that belong to a role which this login has no reason to trust: not
-- its own, not one that it was made a member of, no superuser, neither the owner of the database nor that of the tenant table $4 in schema
-- $3, and none of $5. A superuser may act as any role, so that it may proves nothing.
WITH named AS (
    SELECT c.oid, c.relkind
    FROM unnest($1::text[], $2::text[]) AS t (schema, name)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
), member AS (
    SELECT oid FROM named
    UNION
    SELECT p.relid FROM named, pg_partition_tree(named.oid) AS p WHERE named.relkind = 'p'
)
SELECT n.nspname::text AS schema, c.relname::text AS name, r.rolname::text AS owner
FROM member AS m
JOIN pg_class AS c ON c.oid = m.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_roles AS r ON r.oid = c.relowner
JOIN pg_roles AS login ON login.rolname = session_user
WHERE NOT r.rolsuper
  AND r.oid <> login.oid
  AND NOT (NOT login.rolsuper AND pg_has_role(login.oid, r.oid, 'MEMBER'))
  AND r.oid <> (SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database())
  AND r.rolname <> ALL ($5::text[])
  AND NOT EXISTS (SELECT FROM pg_class AS t JOIN pg_namespace AS s ON s.oid = t.relnamespace
                  WHERE s.nspname = $3 AND t.relname = $4 AND t.relowner = r.oid)
ORDER BY 1, 2
