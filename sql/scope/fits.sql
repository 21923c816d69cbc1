-- Fails where a value of the document $1 does not fit the type of its column. It runs under the path of the application, whose domains
-- may check the values: so every name has its schema.
SELECT pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(NULL:::"table", $1)) IS NOT NULL
