-- The tenants whose id or slug is one of $1, each with the position of that name: two rows where an id is another tenant's slug.
-- It runs under the search path of the application.
WITH asked AS (
    SELECT asked_name, asked_position FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS n (asked_name, asked_position)
), tenant AS (
    SELECT :"key"::pg_catalog.text AS tenant_key, coalesce(:"slug"::pg_catalog.text, '') AS tenant_slug,
           coalesce(:"name"::pg_catalog.text, '') AS tenant_name, :status AS tenant_status
    FROM :"tenants"
)
SELECT tenant.*, asked_position FROM asked JOIN tenant ON tenant_key OPERATOR(pg_catalog.=) asked_name
UNION ALL
SELECT tenant.*, asked_position FROM asked JOIN tenant ON tenant_slug OPERATOR(pg_catalog.=) asked_name AND tenant_slug OPERATOR(pg_catalog.<>) tenant_key
