-- Memberships of one tenant, from the records $1, for users who have none by now. The answer has their keys, and the tenant that they got.
-- It runs under the search path of the application.
INSERT INTO :"memberships" AS t (:columns)
SELECT :values
FROM pg_catalog.jsonb_populate_recordset(NULL:::"memberships", $1) AS given
WHERE NOT EXISTS (SELECT FROM :memberships_whole AS m WHERE m.:"user" OPERATOR(pg_catalog.=) given.:"user")
ON CONFLICT DO NOTHING
RETURNING :key_text AS row_key, t.:"tenant"::pg_catalog.text AS tenant
