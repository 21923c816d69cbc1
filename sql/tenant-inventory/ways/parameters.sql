-- Rights of the roles $1 on settings of the server: SET and ALTER SYSTEM, each with the first of the roles that has it, and from whom it is to be
-- taken. For servers from 15 on.
SELECT DISTINCT ON (p.parname, granted.privilege_type)
       p.parname::text AS name, granted.privilege_type = 'SET' AS sets, role.name AS role,
       CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(granted.grantee)) END AS grantee
FROM pg_parameter_acl AS p
CROSS JOIN LATERAL aclexplode(p.paracl) AS granted
CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS role (name, position)
JOIN pg_roles AS r ON r.rolname = role.name AND NOT r.rolsuper
WHERE granted.grantee = 0 OR pg_has_role(role.name, granted.grantee, 'USAGE')
ORDER BY p.parname, granted.privilege_type, role.position, granted.grantee
