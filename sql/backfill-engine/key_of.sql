-- The key of the row at $1.
-- It runs under the search path of the application.
SELECT :key_text FROM ONLY :"target" AS t WHERE t.ctid OPERATOR(pg_catalog.=) $1::pg_catalog.text::pg_catalog.tid
