-- Fails where a value of the document $1 does not fit the type of its column. Domains of the application may check the values.
-- It runs under the search path of the application.
SELECT pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(NULL:::"table", $1)) IS NOT NULL
