-- Rows without a tenant.
SELECT pg_catalog.count(*) FROM :whole AS t WHERE t.:"column" IS NULL
