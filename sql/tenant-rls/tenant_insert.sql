-- Rows of one tenant, in one statement that sets its own scope: $1 is the session variable, $2 its value, $3 the values by table. :tenant sets it,
-- and is the tenant that it names then. The answer tells for each table how many rows were inserted.
-- It runs under the search path of the application.
WITH scope AS MATERIALIZED (SELECT :tenant AS tenant_id),
:inserts
SELECT ARRAY[:counts]::bigint[]
