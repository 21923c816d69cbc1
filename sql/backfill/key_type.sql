-- The type of column $3 of table $2 in schema $1, as the server writes it in a cast.
SELECT format('%s', format_type(a.atttypid, NULL))
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND NOT a.attisdropped
