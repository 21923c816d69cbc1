-- The type of column $3 of table $2 in schema $1; with $3 NULL that of its first column: no row where it is not there.
SELECT format_type(a.atttypid, a.atttypmod)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') AND ($3::text IS NULL OR a.attname = $3)
ORDER BY a.attnum
LIMIT 1
