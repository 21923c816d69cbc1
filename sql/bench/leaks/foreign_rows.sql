-- A digest of the rows that are not the tenant's.
SELECT md5(coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '')) AS digest
FROM :"table" AS r
WHERE r.:"column" IS DISTINCT FROM :'tenant'
