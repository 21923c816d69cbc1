-- Inserts a copy of a row of the other tenant.
INSERT INTO :"table" SELECT s.* FROM jsonb_populate_record(CAST(NULL AS :"table"), :'sample'::jsonb) AS s
