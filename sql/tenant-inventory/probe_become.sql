-- The roles that the login $1 can act as, itself first.
SELECT r.rolname::text
FROM pg_roles AS r
WHERE r.rolname = $1
   -- From 16 on, a member may lack the option to become the role.
   OR CASE WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role($1, r.oid, 'SET') ELSE pg_has_role($1, r.oid, 'MEMBER') END
ORDER BY r.rolname <> $1, r.rolname
