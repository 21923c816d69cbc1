-- Inserts the row $1, a JSON object, with what $2, another one, has instead: other keys, and another tenant.
INSERT INTO :"target" (:columns)
SELECT :values FROM jsonb_populate_record(NULL:::"target", $1::jsonb || $2::jsonb) AS given
:returning
