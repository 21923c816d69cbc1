-- How many rows the tenant has, for one who sees all.
SELECT count(*) AS own FROM :"table" AS r WHERE r.:"column" = :'tenant'
