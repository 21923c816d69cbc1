-- A few tenants.
-- It runs under the search path of the application.
SELECT e.:"key"::pg_catalog.text AS tenant FROM :"tenants" AS e WHERE e.:"key"::pg_catalog.text OPERATOR(pg_catalog.<>) '' LIMIT 3
