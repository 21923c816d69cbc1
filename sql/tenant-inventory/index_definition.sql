-- The index $4 of table $2 in schema $1, where its first column is the tenant column $3: its definition, as definition.sql has it.
SELECT CASE WHEN x.indisvalid THEN '' ELSE 'INVALID ' END || pg_get_indexdef(x.indexrelid)
FROM pg_namespace AS n
JOIN pg_class AS i ON i.relnamespace = n.oid AND i.relname = $4
JOIN pg_index AS x ON x.indexrelid = i.oid
JOIN pg_class AS c ON c.oid = x.indrelid AND c.relname = $2
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $3 AND NOT a.attisdropped AND a.attnum = x.indkey[0]
WHERE n.nspname = $1
