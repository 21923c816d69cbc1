-- The memberships of the users $1.
-- It runs under the search path of the application.
SELECT id::pg_catalog.text AS id, "userId"::pg_catalog.text AS user_id, :"tenant"::pg_catalog.text AS tenant_id, role::pg_catalog.text AS role,
       "isDefault" AS is_default
FROM :"memberships"
WHERE "userId"::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1)
