-- Inserts the row $1, a JSON object, under other keys and for another tenant, which $2 holds.
INSERT INTO :"target" (:columns)
SELECT :values FROM jsonb_populate_record(NULL:::"target", $1::jsonb || $2::jsonb) AS given
:returning
