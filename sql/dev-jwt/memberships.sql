-- The memberships of the users $1.
-- It runs under the search path of the application.
SELECT id::pg_catalog.text, "userId"::pg_catalog.text, :"tenant"::pg_catalog.text, role::pg_catalog.text, "isDefault" FROM :"memberships" WHERE "userId"::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1)
