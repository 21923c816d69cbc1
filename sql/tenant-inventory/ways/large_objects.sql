-- Large objects that one of the roles $1 may read: by what, from whom the right is to be taken, how many of the first thousand there are, and one of
-- them. With lo_compat_privileges, which the server, the database or the login $2 may set, no right is asked for.
WITH settings AS (
    SELECT s.setdatabase <> 0 AS of_database, s.setrole <> 0 AS of_role, split_part(pair, '=', 2)::bool AS is_on
    FROM pg_db_role_setting AS s
    CROSS JOIN unnest(s.setconfig) AS pair
    WHERE split_part(pair, '=', 1) = 'lo_compat_privileges'
      AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
      AND (s.setrole = 0 OR s.setrole = (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = $2))
),
compatible AS (
    SELECT coalesce((SELECT s.is_on FROM settings AS s ORDER BY s.of_role DESC, s.of_database DESC LIMIT 1),
                    current_setting('lo_compat_privileges')::bool) AS is_on
),
readable AS (
    SELECT m.oid, role.name AS role, role.position, held.by, held.grantee
    FROM pg_largeobject_metadata AS m
    CROSS JOIN compatible AS c
    CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS role (name, position)
    JOIN pg_roles AS r ON r.rolname = role.name AND NOT r.rolsuper
    CROSS JOIN LATERAL (
        SELECT 'setting' AS by, '' AS grantee WHERE c.is_on
        UNION ALL
        SELECT 'owner', quote_ident(pg_get_userbyid(m.lomowner)) WHERE NOT c.is_on AND pg_has_role(role.name, m.lomowner, 'USAGE')
        UNION ALL
        SELECT 'right', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM aclexplode(m.lomacl) AS a
        WHERE NOT c.is_on AND a.grantee <> m.lomowner AND (a.grantee = 0 OR pg_has_role(role.name, a.grantee, 'USAGE'))
    ) AS held
    LIMIT 1000
)
SELECT r.by, r.grantee, (array_agg(r.role ORDER BY r.position))[1] AS role, count(DISTINCT r.oid) AS objects, min(r.oid::bigint) AS example
FROM readable AS r
GROUP BY r.by, r.grantee
ORDER BY 1, 2
