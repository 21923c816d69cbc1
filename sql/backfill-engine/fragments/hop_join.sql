-- A fragment of FROM. It needs the alias that its column points to, and adds the alias of a table on the way.
-- One table on the way from a row to a source, of which only keys are read.
-- It runs under the search path of the application.
JOIN :"hop" AS :"h" ON :value OPERATOR(pg_catalog.=) :"next".:"next_key"
