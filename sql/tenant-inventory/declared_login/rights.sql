-- What the role $1 may do with tables and views, by itself or as everybody: a row for each right, and for each column where rights are by column.
SELECT n.nspname::text AS schema, c.relname::text AS name, p.name AS privilege, a.attname::text AS column_name
FROM pg_roles AS r
CROSS JOIN pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) AS p (name)
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND p.name IN ('SELECT', 'INSERT', 'UPDATE')
WHERE r.rolname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  AND has_schema_privilege(r.oid, n.oid, 'USAGE')
  AND CASE WHEN a.attname IS NULL THEN has_table_privilege(r.oid, c.oid, p.name)
           ELSE has_column_privilege(r.oid, c.oid, a.attnum, p.name) END
ORDER BY 1, 2, 3, a.attnum
