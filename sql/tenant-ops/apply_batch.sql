-- One batch of what people decided: the statement p_judge locks the rows that can be given their tenant and groups the decisions by
-- verdict and tenant; each group that is ready is then written by p_write inside that tenant's scope, and p_read_back counts the rows that do not have
-- their tenant then. Data and journal commit together.
-- The statements run under the path that the application's code expects, so every name and operator in the loop has its schema.
-- SECURITY INVOKER: the statements come from the caller and run with no more than the caller's rights.
CREATE OR REPLACE FUNCTION tenant_ops.apply_batch(
    p_run bigint, p_variable text, p_judge text, p_write text, p_read_back text, p_row_keys text[], p_tenants text[], p_fingerprints text[])
RETURNS TABLE (verdict text, nths bigint[], has text[])
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_group record;
    v_written bigint;
    v_changed bigint;
    v_applied bigint := 0;
BEGIN
    -- Whoever pauses or cancels the run waits for this row, which the last statement writes.
    PERFORM FROM tenant_ops.run WHERE id = p_run AND state = 'running' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % was paused or ended', p_run USING ERRCODE = 'TO003';
    END IF;
    PERFORM set_config('search_path', current_setting('tenant_ops.application_path'), true);
    FOR v_group IN EXECUTE p_judge USING p_row_keys, p_tenants, p_fingerprints LOOP
        IF v_group.verdict OPERATOR(pg_catalog.=) 'ready' THEN
            PERFORM pg_catalog.set_config(p_variable, v_group.tenant, true);
            EXECUTE p_write USING v_group.row_keys, v_group.tenant;
            GET DIAGNOSTICS v_written = ROW_COUNT;
            IF v_written OPERATOR(pg_catalog.<>) pg_catalog.cardinality(v_group.row_keys) THEN
                RAISE EXCEPTION 'tenant %: % rows were locked and % were written',
                    v_group.tenant, pg_catalog.cardinality(v_group.row_keys), v_written USING ERRCODE = 'TO002';
            END IF;
            EXECUTE p_read_back INTO v_changed USING v_group.row_keys, v_group.tenant;
            IF v_changed OPERATOR(pg_catalog.>) 0 THEN
                RAISE EXCEPTION 'a trigger or a rule changed the tenant that rows were given: %', v_changed USING ERRCODE = 'TO006';
            END IF;
            INSERT INTO tenant_ops.journal (run_id, tenant_id, row_keys, sources, decided)
            VALUES (p_run, v_group.tenant, v_group.row_keys, pg_catalog.array_fill(1::smallint, ARRAY[pg_catalog.cardinality(v_group.row_keys)]),
                    true);
            v_applied := v_applied OPERATOR(pg_catalog.+) v_written;
        END IF;
        verdict := v_group.verdict;
        nths := v_group.nths;
        has := v_group.has;
        RETURN NEXT;
    END LOOP;
    -- What the application deferred to the end of the transaction expects its path, too.
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config(p_variable, '', true);
    UPDATE tenant_ops.run AS r
    SET batches = r.batches + 1, assigned_by = ARRAY[r.assigned_by[1] + v_applied]
    WHERE r.id = p_run;
END
$$;
