-- Which of the tables $2 in the schemas $1 are not there.
SELECT t.schema, t.name
FROM unnest($1::text[], $2::text[]) AS t (schema, name)
WHERE NOT EXISTS (SELECT
                  FROM pg_class AS c
                  JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = t.schema
                  WHERE c.relname = t.name AND c.relkind IN ('r', 'p'))
ORDER BY 1, 2
