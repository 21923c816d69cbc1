-- The places in the list of the tables $2 in the schemas $1, from that with most rows to that with fewest, by the statistics.
SELECT t.position
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (schema, name, position)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
ORDER BY c.reltuples DESC, t.position
