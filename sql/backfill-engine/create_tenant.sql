-- One tenant, from the record $1. The answer is its key.
-- It runs under the search path of the application.
INSERT INTO :"tenants" (:columns)
SELECT :values
FROM pg_catalog.jsonb_populate_record(NULL:::"tenants", $1) AS given
RETURNING :"key"::pg_catalog.text
