-- Foreign servers that one of the roles $1 may use and that a user mapping lets it through to: the first of the roles, the wrapper, and
-- from whom the right is to be taken.
SELECT DISTINCT ON (s.srvname) s.srvname::text AS name, quote_ident(s.srvname) AS printed, w.fdwname::text AS wrapper, role.name AS role,
       coalesce((SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ')
                 FROM aclexplode(s.srvacl) AS a
                 WHERE a.grantee <> s.srvowner AND (a.grantee = 0 OR pg_has_role(role.name, a.grantee, 'USAGE'))), r.printed) AS grantee
FROM pg_foreign_server AS s
JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS role (name, position)
JOIN LATERAL (SELECT quote_ident(r.rolname) AS printed FROM pg_roles AS r WHERE r.rolname = role.name AND NOT r.rolsuper) AS r ON true
WHERE has_server_privilege(role.name, s.oid, 'USAGE')
  AND EXISTS (SELECT FROM pg_user_mappings AS u WHERE u.srvid = s.oid AND (u.umuser = 0 OR u.usename = role.name))
ORDER BY s.srvname, role.position
