-- How the current role sees table $2 of schema $1: whether row level security is active for it, which of the columns $3
-- it may not read, whether it may write column $4, and the policies for reading and updating that apply to it.
SELECT row_security_active(c.oid),
       ARRAY(SELECT wanted FROM unnest($3::text[]) AS wanted
             WHERE NOT EXISTS (SELECT FROM pg_attribute a
                               WHERE a.attrelid = c.oid AND a.attname = wanted AND NOT a.attisdropped
                                 AND has_column_privilege(c.oid, a.attnum, 'SELECT'))),
       $4::text IS NULL OR EXISTS (SELECT FROM pg_attribute a
                                   WHERE a.attrelid = c.oid AND a.attname = $4 AND NOT a.attisdropped
                                     AND has_column_privilege(c.oid, a.attnum, 'UPDATE')),
       coalesce((SELECT json_agg(json_build_object('name', p.polname, 'permissive', p.polpermissive,
                                                   'command', p.polcmd, 'using', pg_get_expr(p.polqual, p.polrelid)))
                 FROM pg_policy p
                 WHERE p.polrelid = c.oid AND p.polcmd IN ('r', 'w', '*')
                   AND EXISTS (SELECT FROM unnest(p.polroles) AS r(oid)
                               WHERE r.oid = 0 OR pg_has_role(current_user, r.oid, 'USAGE'))), '[]')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
  AND has_schema_privilege(n.oid, 'USAGE')
