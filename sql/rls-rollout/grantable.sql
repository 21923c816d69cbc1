-- Those of the tables $2 in the schemas $1 whose rights this login may give on, by position.
SELECT t.position
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (schema, name, position)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
WHERE pg_has_role(c.relowner, 'USAGE')
ORDER BY 1
