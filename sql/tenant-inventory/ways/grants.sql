-- To whom rights on tables, views, functions and schemas were granted, beside their owners. 0 stands for everybody, and a right on
-- a column counts as one on its table.
SELECT DISTINCT o.kind, o.id, granted.grantee::bigint AS grantee, granted.privilege_type AS privilege
FROM (
    SELECT 'relation' AS kind, c.oid::bigint AS id, c.relowner AS owner, c.relacl AS rights
    FROM pg_class AS c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384 AND c.relacl IS NOT NULL
    UNION ALL
    SELECT 'relation', c.oid::bigint, c.relowner, a.attacl
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.oid >= 16384 AND a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'function', p.oid::bigint, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)) FROM pg_proc AS p WHERE p.oid >= 16384
    UNION ALL
    SELECT 'schema', n.oid::bigint, n.nspowner, n.nspacl FROM pg_namespace AS n
) AS o
CROSS JOIN LATERAL aclexplode(o.rights) AS granted
WHERE granted.grantee <> o.owner
