-- The users whose email is $1, also in other capitals: those are a hint for whoever mistyped it.
-- It runs under the search path of the application.
SELECT id::pg_catalog.text AS id, :"tenant"::pg_catalog.text AS home, email, name, image, role::pg_catalog.text AS role,
       "sessionVersion" AS session_version
FROM :"users"
WHERE pg_catalog.lower(email) OPERATOR(pg_catalog.=) pg_catalog.lower($1)
ORDER BY id
