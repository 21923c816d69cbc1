-- The policies of the tables $2 in the schemas $1, each with the first of the roles $3 that it holds for, if any.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, p.polname::text AS policy,
       (SELECT role.name
        FROM unnest($3::text[]) WITH ORDINALITY AS role (name, position)
        WHERE EXISTS (SELECT FROM unnest(p.polroles) AS holds (oid) WHERE holds.oid = 0 OR pg_has_role(role.name, holds.oid, 'USAGE'))
        ORDER BY role.position
        LIMIT 1) AS holds_for
FROM unnest($1::text[], $2::text[]) AS t (schema, name)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
JOIN pg_policy AS p ON p.polrelid = c.oid
