-- Rows that are to get a tenant.
-- It runs under the search path of the application.
SELECT pg_catalog.count(*) FROM :whole AS t WHERE :open
