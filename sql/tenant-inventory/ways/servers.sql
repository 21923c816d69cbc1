-- Foreign servers that one of the roles $1 may use and that a user mapping lets it through to: the first of the roles, and the wrapper.
SELECT DISTINCT ON (s.srvname) s.srvname::text AS name, quote_ident(s.srvname) AS printed, w.fdwname::text AS wrapper, role.name AS role,
       has_server_privilege('public', s.oid, 'USAGE') AS by_everybody
FROM pg_foreign_server AS s
JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS role (name, position)
JOIN pg_roles AS r ON r.rolname = role.name AND NOT r.rolsuper
WHERE has_server_privilege(role.name, s.oid, 'USAGE')
  AND EXISTS (SELECT FROM pg_user_mappings AS u WHERE u.srvid = s.oid AND (u.umuser = 0 OR u.usename = role.name))
ORDER BY s.srvname, role.position
