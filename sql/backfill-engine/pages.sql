-- How many pages table $2 of schema $1 has now.
SELECT (pg_relation_size(c.oid) / current_setting('block_size')::bigint)::bigint
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
