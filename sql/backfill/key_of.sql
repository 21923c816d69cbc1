-- The key of the row at $1.
SELECT :key_text FROM ONLY :"target" AS t WHERE t.ctid = $1::text::tid
