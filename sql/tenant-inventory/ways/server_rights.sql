-- Rights of the roles $1 on functions, tables and columns of the server or of an extension, beyond those that these came with: EXECUTE and
-- SELECT. Each with the first of the roles that has it, with the one from whom it is to be taken, and with the column, if it is on one only.
WITH object AS (
    SELECT 'pg_proc'::regclass AS catalog, p.oid, 0 AS part, n.oid AS schema, p.proname::text AS name, p.oid::regprocedure::text AS printed, NULL AS "column",
           'EXECUTE' AS privilege, p.proacl AS rights
    FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, coalesce(a.attnum, 0), n.oid, c.relname::text, format('%I.%I', n.nspname, c.relname), a.attname::text,
           'SELECT', CASE WHEN a.attnum IS NULL THEN c.relacl ELSE a.attacl END
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname IN ('pg_catalog', 'pg_toast')
    LEFT JOIN LATERAL (
        SELECT NULL::int2 AS attnum, NULL::name AS attname, NULL::aclitem[] AS attacl
        UNION ALL
        SELECT a.attnum, a.attname, a.attacl FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL
    ) AS a ON true
)
SELECT DISTINCT ON (o.printed, o."column", o.privilege)
       o.name, o.printed, o."column", o.privilege, role.name AS role,
       CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(granted.grantee)) END AS grantee,
       (SELECT format('%s %s', e.extname, e.extversion) FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
        WHERE d.classid = o.catalog AND d.objid = o.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e') AS extension
FROM object AS o
CROSS JOIN LATERAL aclexplode(o.rights) AS granted
CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS role (name, position)
JOIN pg_roles AS r ON r.rolname = role.name AND NOT r.rolsuper
WHERE o.rights IS NOT NULL AND granted.privilege_type = o.privilege
  AND (granted.grantee = 0 OR pg_has_role(role.name, granted.grantee, 'USAGE'))
  AND has_schema_privilege(role.name, o.schema, 'USAGE')
  -- What was there when it was made, by the server or by CREATE EXTENSION, decides; what has no such record came with the right for everybody.
  AND (o.privilege = 'SELECT' OR EXISTS (SELECT FROM pg_init_privs AS i WHERE i.classoid = o.catalog AND i.objoid = o.oid))
  AND NOT EXISTS (
      SELECT FROM pg_init_privs AS i CROSS JOIN LATERAL aclexplode(i.initprivs) AS initial
      WHERE i.classoid = o.catalog AND i.objoid = o.oid AND i.objsubid = o.part
        AND initial.grantee IN (0, granted.grantee) AND initial.privilege_type = granted.privilege_type)
ORDER BY o.printed, o."column", o.privilege, role.position, granted.grantee
