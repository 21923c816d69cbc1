-- The permissive policies of the tables $2 in the schemas $1: for which roles (0 stands for everybody), and what they say.
SELECT c.oid::bigint AS relation,
       p.polname::text AS policy,
       p.polroles::bigint[] AS roles,
       concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) AS expressions
FROM unnest($1::text[], $2::text[]) AS t (schema, name)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polpermissive
ORDER BY 1, 2
