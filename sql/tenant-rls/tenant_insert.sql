-- Rows of one tenant, in one statement that sets its own scope: $1 is the session variable, $2 the tenant, $3 the values by table. The
-- answer tells for each table how many rows were inserted.
-- It runs under the search path of the application.
WITH scope AS MATERIALIZED (SELECT pg_catalog.set_config($1, $2, true) AS tenant_id),
:inserts
SELECT ARRAY[:counts]::bigint[]
