-- A digest of all that a tenant sees in one table.
SELECT md5(coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '')) AS digest FROM :"table" AS r
