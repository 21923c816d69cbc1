-- Whether the view $2 in schema $1 may be read by this login, and its tenant column, if it shows one of $3.
SELECT has_table_privilege(c.oid, 'SELECT'),
       (SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($3)
        ORDER BY array_position($3, a.attname::text) LIMIT 1)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
