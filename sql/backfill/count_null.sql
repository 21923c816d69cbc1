-- Rows without a tenant.
SELECT count(*) FROM ONLY :"target" AS t WHERE t.:"column" IS NULL
