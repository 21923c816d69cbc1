-- One table's row, unless the tenant has one. The record is made from the scope's own answer, so no row can exist, and no
-- policy be asked about one, before the session variable is set.
:"step" AS (
    INSERT INTO :"table" (:columns)
    SELECT :values
    FROM scope,
         jsonb_populate_record(NULL:::"table", ($3::jsonb -> :'name') || jsonb_build_object(:'tenant_name', scope.tenant_id)) AS given
    ON CONFLICT (:"tenant") DO NOTHING
    RETURNING 1
)
