-- Flags, columns, constraints, indexes, policies and rights of every table, a line each, in an order that does not depend on when they were made.
SELECT line FROM (
    SELECT format('%s rls %s forced %s', c.oid::regclass, c.relrowsecurity, c.relforcerowsecurity) AS line
    FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    UNION ALL
    SELECT format('%s column %s %s not null %s default %s', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                  pg_get_expr(d.adbin, d.adrelid))
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p')
    UNION ALL
    SELECT format('%s constraint %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) FROM pg_constraint AS k WHERE k.conrelid <> 0
    UNION ALL
    SELECT format('%s index %s valid %s', x.indrelid::regclass, pg_get_indexdef(x.indexrelid), x.indisvalid) FROM pg_index AS x
    UNION ALL
    SELECT format('%s policy %s %s %s %s using %s check %s', p.polrelid::regclass, p.polname, p.polpermissive, p.polcmd,
                  (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END, ',' ORDER BY r) FROM unnest(p.polroles) AS r),
                  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy AS p
    UNION ALL
    SELECT format('%s grant %s to %s', c.oid::regclass, g.privilege_type, g.grantee::regrole)
    FROM pg_class AS c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS g WHERE c.relkind IN ('r', 'p')
    UNION ALL
    SELECT format('%s grant %s (%s) to %s', c.oid::regclass, g.privilege_type, a.attname, g.grantee::regrole)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid CROSS JOIN LATERAL aclexplode(a.attacl) AS g WHERE c.relkind IN ('r', 'p')
) AS lines
WHERE line NOT LIKE 'tenant_ops.%' AND line NOT LIKE 'pg\_%' AND line NOT LIKE 'information_schema.%'
ORDER BY line COLLATE "C"
