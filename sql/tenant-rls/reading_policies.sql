-- The policies for reading of the table $2 in the schema $1: their names, their conditions, and the columns of the table, which these name.
SELECT p.polname::text AS name,
       pg_get_expr(p.polqual, p.polrelid) AS condition,
       c.relname::text AS relation,
       (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND p.polcmd IN ('r', '*') AND p.polqual IS NOT NULL
ORDER BY p.polname
