-- How the current role sees each table of the list $1, in its order: whether row level security is active for it, which of the columns it
-- may not read, whether it may write the column that is written, the policies for reading and updating that apply to it, and whether
-- it finds the table at all.
SELECT coalesce(row_security_active(c.oid), false) AS filtered,
       ARRAY(SELECT wanted FROM unnest(asked.columns) AS wanted
             WHERE NOT EXISTS (SELECT FROM pg_attribute a
                               WHERE a.attrelid = c.oid AND a.attname = wanted AND NOT a.attisdropped
                                 AND has_column_privilege(c.oid, a.attnum, 'SELECT'))) AS unreadable,
       asked.written IS NULL OR EXISTS (SELECT FROM pg_attribute a
                                        WHERE a.attrelid = c.oid AND a.attname = asked.written AND NOT a.attisdropped
                                          AND has_column_privilege(c.oid, a.attnum, 'UPDATE')) AS writable,
       coalesce((SELECT json_agg(json_build_object('name', p.polname, 'permissive', p.polpermissive,
                                                   'command', p.polcmd, 'using', pg_get_expr(p.polqual, p.polrelid)))
                 FROM pg_policy p
                 WHERE p.polrelid = c.oid AND p.polcmd IN ('r', 'w', '*')
                   AND EXISTS (SELECT FROM unnest(p.polroles) AS r(oid)
                               WHERE r.oid = 0 OR pg_has_role(current_user, r.oid, 'USAGE'))), '[]') AS policies,
       c.oid IS NOT NULL AS found
FROM ROWS FROM (jsonb_to_recordset($1) AS (schema text, name text, columns text[], written text)) WITH ORDINALITY
     AS asked (schema, name, columns, written, position)
LEFT JOIN pg_namespace n ON n.nspname = asked.schema AND has_schema_privilege(n.oid, 'USAGE')
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name AND c.relkind IN ('r', 'p')
ORDER BY asked.position
