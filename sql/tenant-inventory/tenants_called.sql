-- The tenants whose slug or name is one of $1: the value, the tenant's key, and whether the value is its slug.
-- It runs under the search path of the application.
SELECT DISTINCT v.value, q.:"key"::pg_catalog.text AS tenant, q.:"slug"::pg_catalog.text OPERATOR(pg_catalog.=) v.value AS by_slug
FROM pg_catalog.unnest($1::pg_catalog.text[]) AS v (value)
JOIN :"tenants" AS q
  ON q.:"slug"::pg_catalog.text OPERATOR(pg_catalog.=) v.value OR q.:"name"::pg_catalog.text OPERATOR(pg_catalog.=) v.value
WHERE v.value OPERATOR(pg_catalog.<>) ''
