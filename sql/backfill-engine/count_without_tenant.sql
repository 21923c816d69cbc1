-- Rows of a table that have no tenant: as many as there are, or at most so many.
-- It runs under the search path of the application.
SELECT pg_catalog.count(*) AS rows FROM (SELECT FROM :whole AS t WHERE t.:"column" IS NULL LIMIT :'most') AS without_tenant
