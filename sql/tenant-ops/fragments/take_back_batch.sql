-- A fragment, the body of a DO block. It needs the settings that `begin_taking_back.sql` makes, and runs in `do_take_back.sql`.
-- Takes back journal entries of a run, newest first, until so many rows were looked at: the statement `undo` gives those rows of one entry that
-- still have its tenant what they had before, inside that tenant's scope, which `scope` sets. It is planned once for a batch, as an entry may have a single row.
-- Rows and journal commit together. Names of columns come before names of variables, as the statement is about tables of anybody. From the
-- first entry to the last, names resolve as the triggers, defaults and policies of the application expect it: there every name and operator
-- has its schema.
#variable_conflict use_column
<<batch>>
DECLARE
    variable text := current_setting('tenant_ops.variable');
    run bigint := current_setting('tenant_ops.run');
    resource text := current_setting('tenant_ops.resource');
    fence bigint := current_setting('tenant_ops.fence');
    most_rows bigint := current_setting('tenant_ops.most_rows');
    plans text := current_setting('plan_cache_mode');
    application_path text := current_setting('tenant_ops.application_path');
    entry record;
    written bigint;
    examined bigint := 0;
    undone bigint := 0;
    ids bigint[] := '{}';
    counts bigint[] := '{}';
BEGIN
    PERFORM FROM tenant_ops.lease AS l WHERE l.resource = batch.resource AND l.fence = batch.fence FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease on % was taken over by another run', resource USING ERRCODE = 'TO001';
    END IF;
    PERFORM set_config('search_path', application_path, true), set_config('plan_cache_mode', 'force_generic_plan', true);
    -- Each entry has a row, so this many entries are enough.
    FOR entry IN
        SELECT j.id, j.tenant_id, j.row_keys, j.before, j.xmin AS made_in FROM tenant_ops.journal AS j
        WHERE j.run_id OPERATOR(pg_catalog.=) batch.run AND j.undone_at IS NULL
        ORDER BY j.id DESC
        LIMIT batch.most_rows
    LOOP
        EXIT WHEN examined OPERATOR(pg_catalog.>=) most_rows;
        PERFORM pg_catalog.set_config(variable, :scope, true);
        :undo;
        GET DIAGNOSTICS written = ROW_COUNT;
        examined := examined OPERATOR(pg_catalog.+) pg_catalog.cardinality(entry.row_keys);
        undone := undone OPERATOR(pg_catalog.+) written;
        ids := pg_catalog.array_append(ids, entry.id);
        counts := pg_catalog.array_append(counts, written);
    END LOOP;
    -- What the application deferred to the end of the transaction expects its path, too.
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('plan_cache_mode', plans, true),
            pg_catalog.set_config(variable, '', true);
    UPDATE tenant_ops.journal AS j
    SET undone_at = clock_timestamp(), undone_rows = done.rows
    FROM unnest(batch.ids, batch.counts) AS done (id, rows)
    WHERE j.run_id = batch.run AND j.undone_at IS NULL AND j.id = done.id;
    PERFORM set_config('tenant_ops.entries', cardinality(ids)::text, true), set_config('tenant_ops.examined', examined::text, true),
            set_config('tenant_ops.undone', undone::text, true);
END
