-- Those of the tables $2 in the schemas $1, and of their partitions, whose definition this login may not change, with their owners.
WITH RECURSIVE member AS (
    SELECT c.oid
    FROM unnest($1::text[], $2::text[]) AS t (schema, name)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
    UNION
    SELECT i.inhrelid
    FROM member AS m
    JOIN pg_inherits AS i ON i.inhparent = m.oid
)
SELECT n.nspname::text AS schema, c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner
FROM member AS m
JOIN pg_class AS c ON c.oid = m.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT pg_has_role(c.relowner, 'USAGE')
ORDER BY 1, 2
