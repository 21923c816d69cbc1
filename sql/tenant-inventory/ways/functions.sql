-- Functions, procedures and aggregates that are not the server's own, each with the first of the roles $1 that may call it by its name, and
-- the first that may execute it where something else leads to it. Those of the book-keeping are checked elsewhere.
SELECT p.oid::bigint AS id,
       p.proname::text AS name,
       p.oid::regprocedure::text AS signature,
       quote_ident(n.nspname) AS schema,
       p.prokind::text AS kind,
       CASE p.prorettype WHEN 'trigger'::regtype THEN 'trigger' WHEN 'event_trigger'::regtype THEN 'event_trigger' END AS fires,
       p.prosecdef AS definer,
       p.proleakproof AS leakproof,
       p.proowner::bigint AS owner,
       l.lanname::text AS language,
       atomic.body IS NOT NULL AS atomic,
       -- What an extension brings is not read.
       CASE WHEN member.extension IS NULL THEN coalesce(atomic.body, p.prosrc) END AS body,
       coalesce(p.proconfig, '{}') AS settings,
       coalesce(p.proacl::text, '') AS rights,
       member.extension,
       CASE WHEN asked.open THEN (SELECT role.name FROM unnest($1::text[]) WITH ORDINALITY AS role (name, position)
        WHERE has_function_privilege(role.name, p.oid, 'EXECUTE') AND has_schema_privilege(role.name, n.oid, 'USAGE')
        ORDER BY role.position LIMIT 1) END AS caller,
       CASE WHEN asked.open THEN (SELECT role.name FROM unnest($1::text[]) WITH ORDINALITY AS role (name, position)
        WHERE has_function_privilege(role.name, p.oid, 'EXECUTE')
        ORDER BY role.position LIMIT 1) END AS executor
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_language AS l ON l.oid = p.prolang
CROSS JOIN LATERAL (SELECT p.prosecdef OR p.proleakproof OR p.prokind = 'a' OR p.proconfig IS NOT NULL AS open) AS asked
CROSS JOIN LATERAL (SELECT CASE WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid) END AS body) AS atomic
CROSS JOIN LATERAL (
    SELECT (SELECT format('%s %s', e.extname, e.extversion) FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e') AS extension
) AS member
-- The server's own have lower numbers; somebody else can put more into its schemas.
WHERE n.nspname <> 'tenant_ops' AND n.nspname !~ '^pg_(temp|toast)'
  AND (p.oid >= 16384 OR n.nspname NOT IN ('information_schema', 'pg_catalog'))
ORDER BY p.oid
