-- All that a function returns, as one text.
SELECT coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '') AS shown FROM :"function"(:arguments) AS r
