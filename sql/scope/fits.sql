-- Fails where a value of the document $1 does not fit the type of its column.
SELECT to_jsonb(jsonb_populate_record(NULL:::"table", $1)) IS NOT NULL
