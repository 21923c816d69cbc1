-- A fragment of WITH. It needs the query `scope` of `tenant_insert.sql` before it, and that statement's $3.
-- One table's row, unless the tenant has one. The record is made from the scope's own answer, so no row can exist, and no
-- policy be asked about one, before the session variable is set.
-- It runs under the search path of the application.
:"step" AS (
    INSERT INTO :"table" (:columns)
    SELECT :values
    FROM scope,
         pg_catalog.jsonb_populate_record(NULL:::"table", ($3::pg_catalog.jsonb OPERATOR(pg_catalog.->) :'name')
             OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(:'tenant_name', scope.tenant_id)) AS given
    ON CONFLICT (:"tenant") DO NOTHING
    RETURNING 1
)
