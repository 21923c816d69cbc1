-- Tenants from the records $1, except those whose slug is there already; the answer names the slugs that were not.
-- It runs under the search path of the application.
INSERT INTO :"tenants" (:columns)
SELECT :values
FROM pg_catalog.jsonb_populate_recordset(NULL:::"tenants", $1) AS given
ON CONFLICT (:"slug") DO NOTHING
RETURNING :"slug"::pg_catalog.text
