-- A fragment, a condition. It needs rows `t` with a key of several columns, and an array with the keys as texts.
-- It runs under the search path of the application.
ROW(:names) OPERATOR(pg_catalog.=) ANY (SELECT :values FROM pg_catalog.unnest(:keys::pg_catalog.text[]) AS k (row_key))
