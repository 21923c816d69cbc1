-- Users and memberships: how many there are, how many users have no membership, and of these how many have a tenant that exists; how many
-- users have memberships and none in their own tenant; and how many memberships are of a user or of a tenant that is gone.
-- It runs under the search path of the application.
WITH person AS (
    SELECT e.:"tenant_key" IS NOT NULL AS has_tenant,
           EXISTS (SELECT FROM :memberships_whole AS m WHERE m.:"user" OPERATOR(pg_catalog.=) u.:"user_key") AS is_member,
           EXISTS (SELECT FROM :memberships_whole AS m
                   WHERE m.:"user" OPERATOR(pg_catalog.=) u.:"user_key" AND m.:"member_tenant" OPERATOR(pg_catalog.=) u.:"user_tenant") AS is_at_home
    FROM :users_whole AS u
    LEFT JOIN :"tenants" AS e ON e.:"tenant_key" OPERATOR(pg_catalog.=) u.:"user_tenant" AND e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) ''
), membership AS (
    SELECT NOT EXISTS (SELECT FROM :users_whole AS u WHERE u.:"user_key" OPERATOR(pg_catalog.=) m.:"user") AS user_gone,
           NOT EXISTS (SELECT FROM :"tenants" AS e
                       WHERE e.:"tenant_key" OPERATOR(pg_catalog.=) m.:"member_tenant" AND e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) '') AS tenant_gone
    FROM :memberships_whole AS m
)
SELECT p.users, p.without, p.without_known, p.elsewhere, m.memberships, m.user_gone, m.tenant_gone
FROM (SELECT pg_catalog.count(*) AS users,
             pg_catalog.count(*) FILTER (WHERE NOT is_member) AS without,
             pg_catalog.count(*) FILTER (WHERE NOT is_member AND has_tenant) AS without_known,
             pg_catalog.count(*) FILTER (WHERE is_member AND has_tenant AND NOT is_at_home) AS elsewhere
      FROM person) AS p
CROSS JOIN (SELECT pg_catalog.count(*) AS memberships,
                   pg_catalog.count(*) FILTER (WHERE user_gone) AS user_gone,
                   pg_catalog.count(*) FILTER (WHERE tenant_gone) AS tenant_gone
            FROM membership) AS m
