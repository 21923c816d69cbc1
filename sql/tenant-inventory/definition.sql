-- What a rollout may change of table $2 in schema $1 with the tenant column $3, for each position of these arrays: one row an aspect, with the
-- text that makes it. Run with an empty search_path, so that each name carries its schema. A step of a rollout runs it twice, so each relation of the
-- catalog is looked into once.
WITH target AS (
    SELECT t.position, c.oid, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, a.attnum AS tenant_attnum, a.attnotnull AS tenant_not_null,
           format_type(a.atttypid, a.atttypmod) AS tenant_type
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS t (schema, name, tenant_column, position)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'p')
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = t.tenant_column AND NOT a.attisdropped
)
SELECT t.position, v.kind, '' AS name, '' AS role, '' AS column_name, v.text
FROM target AS t
CROSS JOIN LATERAL (VALUES
    ('row_security', CASE WHEN t.relrowsecurity THEN '' END),
    ('forced', CASE WHEN t.relforcerowsecurity THEN '' END),
    ('column', t.tenant_type),
    -- Since 18 it may be a constraint that was never validated; what makes that again is more than a flag.
    ('not_null', CASE WHEN t.tenant_not_null THEN
         coalesce((SELECT format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)) FROM pg_constraint AS k
                   WHERE k.conrelid = t.oid AND k.contype = 'n' AND k.conkey = ARRAY[t.tenant_attnum] AND NOT k.convalidated), '') END),
    ('default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d WHERE d.adrelid = t.oid AND d.adnum = t.tenant_attnum))
) AS v (kind, text)
WHERE v.text IS NOT NULL
UNION ALL
SELECT t.position, v.kind, p.polname, '', '', v.text
FROM target AS t
JOIN pg_policy AS p ON p.polrelid = t.oid
CROSS JOIN LATERAL (VALUES
    ('policy',
     format('AS %s FOR %s TO %s', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
            CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
            (SELECT string_agg(CASE r.oid WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.oid)) END, ', ' ORDER BY r.oid)
             FROM unnest(p.polroles) AS r (oid)))
     || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
     || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')),
    ('policy_comment', (SELECT d.description FROM pg_description AS d WHERE d.classoid = 'pg_policy'::regclass AND d.objoid = p.oid AND d.objsubid = 0))
) AS v (kind, text)
WHERE v.text IS NOT NULL
UNION ALL
SELECT t.position, v.kind, k.conname, '', '', v.text
FROM target AS t
JOIN pg_constraint AS k ON k.conrelid = t.oid AND k.contype IN ('c', 'f') AND t.tenant_attnum = ANY (k.conkey)
CROSS JOIN LATERAL (VALUES
    ('constraint', pg_get_constraintdef(k.oid)),
    ('constraint_comment', (SELECT d.description FROM pg_description AS d WHERE d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid AND d.objsubid = 0))
) AS v (kind, text)
WHERE v.text IS NOT NULL
UNION ALL
SELECT t.position, 'index', i.relname, '', '', CASE WHEN x.indisvalid THEN '' ELSE 'INVALID ' END || pg_get_indexdef(x.indexrelid)
FROM target AS t
JOIN pg_index AS x ON x.indrelid = t.oid AND x.indkey[0] = t.tenant_attnum
JOIN pg_class AS i ON i.oid = x.indexrelid
UNION ALL
SELECT t.position, 'grant', g.privilege_type, pg_get_userbyid(g.grantee), '', CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM target AS t
CROSS JOIN LATERAL aclexplode(t.relacl) AS g
WHERE g.grantee NOT IN (0, t.relowner)
UNION ALL
SELECT t.position, 'grant', g.privilege_type, pg_get_userbyid(g.grantee), a.attname,
       CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM target AS t
JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
CROSS JOIN LATERAL aclexplode(a.attacl) AS g
WHERE g.grantee NOT IN (0, t.relowner)
