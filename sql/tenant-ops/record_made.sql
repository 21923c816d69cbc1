-- Writes down that run $1 made rows with the keys $3 for the tenant $2, if the run still runs. Whoever pauses or cancels it waits for this.
WITH running AS (
    UPDATE tenant_ops.run
    SET batches = batches + 1, assigned_by = ARRAY[assigned_by[1] + cardinality($3::text[])]
    WHERE id = $1 AND state = 'running'
    RETURNING id
)
INSERT INTO tenant_ops.journal (run_id, tenant_id, row_keys, sources)
SELECT id, $2, $3, array_fill(1::smallint, ARRAY[cardinality($3::text[])]) FROM running
