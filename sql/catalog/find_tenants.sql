-- The tenants whose id or slug is one of $1, each with the position of that name: two rows where an id is another tenant's slug.
WITH asked AS (
    SELECT asked_name, asked_position FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS n (asked_name, asked_position)
), tenant (tenant_key, tenant_slug, tenant_name, tenant_status) AS (
    SELECT :"key"::pg_catalog.text, coalesce(:"slug"::pg_catalog.text, ''), coalesce(:"name"::pg_catalog.text, ''), :status FROM :"tenants"
)
SELECT tenant.*, asked_position FROM asked JOIN tenant ON tenant_key OPERATOR(pg_catalog.=) asked_name
UNION ALL
SELECT tenant.*, asked_position FROM asked JOIN tenant ON tenant_slug OPERATOR(pg_catalog.=) asked_name AND tenant_slug OPERATOR(pg_catalog.<>) tenant_key
