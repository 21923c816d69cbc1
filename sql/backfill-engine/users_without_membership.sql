-- The users without a membership whose own tenant exists, with that tenant, tenant by tenant.
-- It runs under the search path of the application.
SELECT u.:"user_key"::pg_catalog.text AS user_key, e.:"tenant_key"::pg_catalog.text AS tenant
FROM :users_whole AS u
JOIN :"tenants" AS e ON e.:"tenant_key" OPERATOR(pg_catalog.=) u.:"user_tenant" AND e.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) ''
WHERE NOT EXISTS (SELECT FROM :memberships_whole AS m WHERE m.:"user" OPERATOR(pg_catalog.=) u.:"user_key")
ORDER BY u.:"user_tenant", u.:"user_key"
