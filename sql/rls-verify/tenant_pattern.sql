-- The tenant $1 as a JSON object, for copies of it.
-- It runs under the search path of the application.
SELECT pg_catalog.to_jsonb(e) FROM :"tenants" AS e WHERE e.:"key"::pg_catalog.text OPERATOR(pg_catalog.=) $1
