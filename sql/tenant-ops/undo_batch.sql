-- Takes back journal entries of a run, newest first, until so many rows were looked at: the statement p_undo empties the tenant column
-- of the rows $1 that still have the tenant $2, inside that tenant's scope. Rows and journal commit together.
-- The statement runs under the path that the application's code expects, so every name and operator in the loop has its schema.
-- SECURITY INVOKER: the statement comes from the caller and runs with no more than the caller's rights.
CREATE OR REPLACE FUNCTION tenant_ops.undo_batch(
    p_run bigint, p_resource text, p_fence bigint, p_variable text, p_undo text, p_rows bigint,
    OUT entries bigint, OUT undone bigint, OUT kept bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_entry record;
    v_written bigint;
BEGIN
    PERFORM FROM tenant_ops.lease WHERE resource = p_resource AND fence = p_fence FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease on % was taken over by another run', p_resource USING ERRCODE = 'TO001';
    END IF;
    entries := 0;
    undone := 0;
    kept := 0;
    PERFORM set_config('search_path', current_setting('tenant_ops.application_path'), true);
    FOR v_entry IN
        SELECT id, tenant_id, row_keys FROM tenant_ops.journal
        WHERE run_id OPERATOR(pg_catalog.=) p_run AND undone_at IS NULL ORDER BY id DESC
    LOOP
        EXIT WHEN (undone OPERATOR(pg_catalog.+) kept) OPERATOR(pg_catalog.>=) p_rows;
        PERFORM pg_catalog.set_config(p_variable, v_entry.tenant_id, true);
        EXECUTE p_undo USING v_entry.row_keys, v_entry.tenant_id;
        GET DIAGNOSTICS v_written = ROW_COUNT;
        UPDATE tenant_ops.journal SET undone_at = pg_catalog.clock_timestamp(), undone_rows = v_written
        WHERE id OPERATOR(pg_catalog.=) v_entry.id;
        entries := entries OPERATOR(pg_catalog.+) 1;
        undone := undone OPERATOR(pg_catalog.+) v_written;
        kept := kept OPERATOR(pg_catalog.+) pg_catalog.cardinality(v_entry.row_keys) OPERATOR(pg_catalog.-) v_written;
    END LOOP;
    -- What the application deferred to the end of the transaction expects its path, too.
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config(p_variable, '', true);
END
$$;
