-- A fragment, a condition. It needs rows `t` with a primary key, and the keys as JSON objects in $1.
-- It runs under the search path of the application.
ROW(:ours) OPERATOR(pg_catalog.=) ANY (SELECT :theirs FROM pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb) AS k (:typed))
