-- The tenants whose rows a relation shows; this needs no right on any other column.
SELECT coalesce(string_agg(DISTINCT r.:"column"::text, ','), '') AS shown FROM :"table" AS r
