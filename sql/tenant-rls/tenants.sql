-- The next $2 tenants behind the one with the id $1, in the order of their ids.
-- It runs under the search path of the application.
SELECT :"key"::pg_catalog.text AS tenant_key, coalesce(:"slug"::pg_catalog.text, '') AS tenant_slug,
       coalesce(:"name"::pg_catalog.text, '') AS tenant_name, :status AS tenant_status
FROM :"tenants"
WHERE $1::pg_catalog.text IS NULL OR :"key"::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.>) $1
ORDER BY :"key"::pg_catalog.text COLLATE pg_catalog."C"
LIMIT $2
