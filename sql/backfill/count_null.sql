-- Rows without a tenant.
SELECT count(*) FROM :whole AS t WHERE t.:"column" IS NULL
