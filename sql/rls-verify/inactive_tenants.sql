-- Tenants whose status is not $1.
-- It runs under the search path of the application.
SELECT e.:"key"::pg_catalog.text FROM :"tenants" AS e WHERE e.:"status"::pg_catalog.text OPERATOR(pg_catalog.<>) $1
