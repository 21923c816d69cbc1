-- The user with the id $1.
-- It runs under the search path of the application.
SELECT id::pg_catalog.text AS id, :"tenant"::pg_catalog.text AS home, email, name, image, role::pg_catalog.text AS role,
       "sessionVersion" AS session_version
FROM :"users"
WHERE id::pg_catalog.text OPERATOR(pg_catalog.=) $1
