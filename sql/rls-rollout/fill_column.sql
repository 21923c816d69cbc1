-- Gives each row without a tenant that of the row that it points to, all at once; none where another way leads to another tenant. A rollout does it in batches instead.
UPDATE :"table" AS r SET :"column" = p.:"parent_column"
FROM :"parent" AS p
WHERE p.:"key" OPERATOR(pg_catalog.=) r.:"link" AND r.:"column" IS NULL AND p.:"parent_column" IS NOT NULL:unless
