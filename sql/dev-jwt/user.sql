-- The user with the id $1.
-- It runs under the search path of the application.
SELECT id::pg_catalog.text, :"tenant"::pg_catalog.text, email, name, image, role::pg_catalog.text, "sessionVersion" FROM :"users" WHERE id::pg_catalog.text OPERATOR(pg_catalog.=) $1
