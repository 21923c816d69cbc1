-- Who may act as the roles $1, directly or through others, without being a superuser: the role, the member, whether the application's
-- login $2 is or may become that member, and whether the member is expected: this login, the owner of the schema tenant_ops or of this
-- database, or a role that may act as one of them. Who may only grant the role is no member here, nor is the role $3 between it and its
-- operators, as which nobody logs in: they are members themselves. `granted` is what the member was granted.
WITH RECURSIVE ours AS (
    SELECT r.oid, r.rolname, b.oid AS between
    FROM unnest($1::text[], $3::text[]) AS named (role, between)
    JOIN pg_catalog.pg_roles AS r ON r.rolname = named.role
    LEFT JOIN pg_catalog.pg_roles AS b ON b.rolname = named.between
), member (ours, oid, granted) AS (
    SELECT o.oid, o.oid, o.oid FROM ours AS o
    UNION
    SELECT b.ours, m.member, b.oid
    FROM member AS b
    JOIN pg_catalog.pg_auth_members AS m ON m.roleid = b.oid
    -- From 16 on, a membership can be one without either.
    WHERE coalesce((pg_catalog.to_jsonb(m) ->> 'set_option')::bool, true) OR coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::bool, true)
), trusted AS (
    SELECT nspowner AS oid FROM pg_catalog.pg_namespace WHERE nspname = 'tenant_ops'
    UNION
    SELECT datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
    UNION
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user
)
SELECT DISTINCT ON (1, 2) o.rolname::text AS role, r.rolname::text AS member,
       CASE WHEN g.oid = o.between THEN g.rolname ELSE o.rolname END::text AS granted,
       r.rolname <> session_user
           AND EXISTS (SELECT FROM pg_catalog.pg_roles AS app
                       WHERE app.rolname = $2 AND NOT app.rolsuper AND pg_catalog.pg_has_role(app.oid, r.oid, 'MEMBER'))
           AS of_application,
       EXISTS (SELECT FROM trusted AS t WHERE pg_catalog.pg_has_role(r.oid, t.oid, 'MEMBER')) AS expected
FROM member AS m
JOIN ours AS o ON o.oid = m.ours
JOIN pg_catalog.pg_roles AS g ON g.oid = m.granted
JOIN pg_catalog.pg_roles AS r ON r.oid = m.oid AND r.oid <> o.oid AND NOT r.rolsuper
WHERE r.rolcanlogin OR r.oid IS DISTINCT FROM o.between
ORDER BY 1, 2, 3
