-- All that a relation shows, as one text.
SELECT coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '') AS shown FROM :"table" AS r
