-- A fragment, a condition. It needs rows `t` with a key of several columns, and the keys as texts in $1.
-- It runs under the search path of the application.
ROW(:names) OPERATOR(pg_catalog.=) ANY (SELECT :values FROM pg_catalog.unnest($1::pg_catalog.text[]) AS k (row_key))
