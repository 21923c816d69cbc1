-- One batch: the statement p_resolve locks the rows of a tid range that have no tenant and groups them by the tenant that
-- their sources name; each group is then written inside that tenant's scope. Data, journal and checkpoint commit together.
-- The caller has locked the lane: whoever pauses or ends a run changes its state and then waits for the lanes, so the state is read
-- again behind that lock. SECURITY INVOKER: the statements come from the caller and run with no more than the caller's rights.
DROP FUNCTION IF EXISTS tenant_ops.assign_batch(bigint, text, bigint, text, text, text, tid, tid, bigint);
DROP FUNCTION IF EXISTS tenant_ops.assign_batch(bigint, text, bigint, text, text, text, tid, tid, tid, bigint);
CREATE OR REPLACE FUNCTION tenant_ops.assign_batch(
    p_run bigint, p_lane bigint, p_variable text, p_resolve text, p_assign text, p_from tid, p_until tid, p_limit bigint,
    OUT examined bigint, OUT assigned bigint, OUT assigned_by bigint[])
LANGUAGE plpgsql SECURITY INVOKER
AS $$
DECLARE
    v_group record;
    v_written bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM tenant_ops.run WHERE id = p_run AND state = 'running') THEN
        RAISE EXCEPTION 'run % was paused or ended', p_run USING ERRCODE = 'TO003';
    END IF;
    examined := 0;
    assigned := 0;
    FOR v_group IN EXECUTE p_resolve USING p_from, p_until, p_limit LOOP
        -- The plan above is made. Rows are written where they were locked, by tid: statistics that are older than most rows without a
        -- tenant would have the planner look for each group in an index of all such rows.
        IF examined = 0 THEN
            PERFORM set_config(name, 'off', true)
            FROM unnest(ARRAY['enable_indexscan', 'enable_bitmapscan', 'enable_seqscan']) AS name;
        END IF;
        examined := examined + v_group.row_count;
        CONTINUE WHEN v_group.tenant IS NULL;
        PERFORM set_config(p_variable, v_group.tenant, true);
        EXECUTE p_assign USING v_group.tids, v_group.tenant;
        GET DIAGNOSTICS v_written = ROW_COUNT;
        IF v_written <> v_group.row_count THEN
            RAISE EXCEPTION 'tenant %: % rows were locked and % were written', v_group.tenant, v_group.row_count, v_written
                USING ERRCODE = 'TO002';
        END IF;
        INSERT INTO tenant_ops.journal (run_id, tenant_id, row_keys, sources)
        VALUES (p_run, v_group.tenant, v_group.row_keys, v_group.sources);
        assigned := assigned + v_written;
        assigned_by := ARRAY(SELECT coalesce(a, 0) + b FROM unnest(assigned_by, v_group.by_source) WITH ORDINALITY AS u(a, b, o)
                             ORDER BY o);
    END LOOP;
    PERFORM set_config(name, 'on', true)
    FROM unnest(ARRAY['enable_indexscan', 'enable_bitmapscan', 'enable_seqscan']) AS name;
    PERFORM set_config(p_variable, '', true);
    assigned_by := coalesce(assigned_by, '{}');
    UPDATE tenant_ops.lane AS l
    -- A batch that its limit cut short has not seen the whole range.
    SET next_tid = CASE WHEN assign_batch.examined >= p_limit THEN p_from ELSE p_until END,
        examined = l.examined + assign_batch.examined,
        batches = l.batches + 1,
        assigned_by = CASE WHEN assign_batch.assigned_by = '{}' THEN l.assigned_by
                           ELSE ARRAY(SELECT a + b FROM unnest(l.assigned_by, assign_batch.assigned_by) WITH ORDINALITY AS u(a, b, o)
                                      ORDER BY o) END
    WHERE l.id = p_lane AND l.run_id = p_run AND l.next_tid = p_from;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lane % of run % was not locked before its batch', p_lane, p_run USING ERRCODE = 'TO001';
    END IF;
END
$$;
