-- Inserts the row $1, a JSON object, with what $2, another one, has instead: other keys, and another tenant.
-- It runs under the search path of the application.
INSERT INTO :"target" (:columns)
SELECT :values FROM pg_catalog.jsonb_populate_record(NULL:::"target", $1::pg_catalog.jsonb OPERATOR(pg_catalog.||) $2::pg_catalog.jsonb) AS given
:returning
