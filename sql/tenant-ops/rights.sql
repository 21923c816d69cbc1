-- Every right in the schema tenant_ops of a role that is not its owner: the object and its kind, the column where the right is on one, the
-- role (NULL is PUBLIC), whether the application's login $1 has the right by it, and the two parts of what takes it away: REVOKE right rest.
WITH ns AS MATERIALIZED (
    SELECT oid, nspowner, nspacl FROM pg_catalog.pg_namespace WHERE nspname = 'tenant_ops'
), held (kind, object, "column", acl, owner, qualified) AS (
    SELECT 'SCHEMA', 'tenant_ops'::text, NULL::name, ns.nspacl, ns.nspowner, 'tenant_ops' FROM ns
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.relname, NULL, c.relacl, c.relowner,
           pg_catalog.format('tenant_ops.%I', c.relname)
    FROM pg_catalog.pg_class AS c JOIN ns ON c.relnamespace = ns.oid
    UNION ALL
    SELECT 'TABLE', c.relname, a.attname, a.attacl, c.relowner, pg_catalog.format('tenant_ops.%I', c.relname)
    FROM pg_catalog.pg_class AS c
    JOIN ns ON c.relnamespace = ns.oid
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
    UNION ALL
    SELECT 'FUNCTION', pg_catalog.format('%s(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), NULL,
           coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), p.proowner,
           pg_catalog.format('tenant_ops.%I(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
    FROM pg_catalog.pg_proc AS p JOIN ns ON p.pronamespace = ns.oid
)
SELECT h.kind::text, h.object::text, h."column"::text, g.privilege_type::text AS privilege, r.rolname::text AS role,
       g.grantee = 0 OR EXISTS (SELECT FROM pg_catalog.pg_roles AS app
                                WHERE app.rolname = $1 AND NOT app.rolsuper AND pg_catalog.pg_has_role(app.oid, g.grantee, 'MEMBER'))
           AS of_application,
       g.privilege_type || coalesce(' (' || pg_catalog.quote_ident(h."column") || ')', '') AS statement_right,
       pg_catalog.format('ON %s %s FROM %s', h.kind, h.qualified,
                         CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(r.rolname) END) AS statement_rest
FROM held AS h
CROSS JOIN LATERAL pg_catalog.aclexplode(h.acl) AS g
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = g.grantee
WHERE g.grantee <> h.owner AND (g.grantee = 0 OR r.oid IS NOT NULL)
ORDER BY r.rolname NULLS FIRST, h.kind, h.object, h."column" NULLS FIRST, g.privilege_type
