-- A row of :"table", the table of tenants, for each tenant that :tenants name.
INSERT INTO :"table" (id, slug, name)
SELECT t.id, t.id::text, t.id::text FROM (:tenants) AS t (id) WHERE t.id::text <> ''
