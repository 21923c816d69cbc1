-- Up to $1 tenants.
-- It runs under the search path of the application.
SELECT e.:"key"::pg_catalog.text AS tenant FROM :"tenants" AS e LIMIT $1
