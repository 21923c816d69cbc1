-- The tenants whose id or slug is one of $1, each with the position of that name: two rows where an id is another tenant's slug.
WITH asked AS (
    SELECT asked_name, asked_position FROM unnest($1::text[]) WITH ORDINALITY AS n (asked_name, asked_position)
), tenant (tenant_key, tenant_slug, tenant_name, tenant_status) AS (
    SELECT :"key"::text, coalesce(:"slug"::text, ''), coalesce(:"name"::text, ''), :status FROM :"tenants"
)
SELECT tenant.*, asked_position FROM asked JOIN tenant ON tenant_key = asked_name
UNION ALL
SELECT tenant.*, asked_position FROM asked JOIN tenant ON tenant_slug = asked_name AND tenant_slug <> tenant_key
