-- A fragment, the body of a DO block. It needs the settings that `begin_assigning.sql` makes, and runs in `do_batch.sql`.
-- One batch: the statement `resolve` locks the rows of a tid range that are to get a tenant and groups them by the tenant that
-- their sources name, and by what they had before; `assign` then writes each group inside that tenant's scope, which `scope` sets. Data, journal and checkpoint commit together.
-- The caller has locked the range: whoever pauses or ends a run changes its state and then waits for the ranges, so the state is read
-- again behind that lock. A DO takes no parameters, hence the settings. Names of columns come before names of variables, as the statements
-- are about tables of anybody. From the first of these statements to the last, names resolve as the triggers, defaults and policies of the
-- application expect it: there every name and operator has its schema.
#variable_conflict use_column
<<batch>>
DECLARE
    variable text := current_setting('tenant_ops.variable');
    run bigint := current_setting('tenant_ops.run');
    range bigint := current_setting('tenant_ops.range');
    from_tid tid := current_setting('tenant_ops.from_tid');
    until_tid tid := current_setting('tenant_ops.until_tid');
    row_limit bigint := nullif(current_setting('tenant_ops.row_limit'), '');
    page_cost text := current_setting('random_page_cost');
    plans text := current_setting('plan_cache_mode');
    application_path text := current_setting('tenant_ops.application_path');
    target oid := (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                   WHERE n.nspname = :'schema' AND c.relname = :'name');
    of_tenant record;
    written bigint;
    changed bigint := 0;
    examined bigint := 0;
    assigned_by bigint[];
    entry tenant_ops.journal;
    entries tenant_ops.journal[] := '{}';
BEGIN
    IF NOT EXISTS (SELECT FROM tenant_ops.run AS r WHERE r.id = batch.run AND r.state = 'running') THEN
        RAISE EXCEPTION 'run % was paused or ended', run USING ERRCODE = 'TO003';
    END IF;
    PERFORM set_config('search_path', application_path, true);
    FOR of_tenant IN
        :resolve
    LOOP
        -- The plan above is made. Rows are written where they were locked, with one plan for all tenants, by tid: where statistics are
        -- older than most rows without a tenant, an index of all such rows seems to cost less than some tids, unless pages cost nothing.
        IF examined OPERATOR(pg_catalog.=) 0 THEN
            PERFORM pg_catalog.set_config('random_page_cost', '0', true),
                    pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true);
        END IF;
        examined := examined OPERATOR(pg_catalog.+) of_tenant.row_count;
        CONTINUE WHEN of_tenant.tenant IS NULL;
        PERFORM pg_catalog.set_config(variable, :scope, true);
        :assign;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written OPERATOR(pg_catalog.<>) of_tenant.row_count THEN
            RAISE EXCEPTION 'tenant %: % rows were locked and % were written', of_tenant.tenant, of_tenant.row_count, written
                USING ERRCODE = 'TO002';
        END IF;
        entry.run_id := run;
        entry.tenant_id := of_tenant.tenant;
        entry.before := of_tenant.before;
        entry.row_keys := of_tenant.row_keys;
        entry.sources := of_tenant.sources;
        entries := pg_catalog.array_append(entries, entry);
    END LOOP;
    -- What the application deferred to the end of the transaction expects its path, too.
    SET CONSTRAINTS ALL IMMEDIATE;
    -- This transaction has written to the table, so nobody can add a trigger or a rule to it now, nor drop one.
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS g
               WHERE g.tgrelid OPERATOR(pg_catalog.=) target AND NOT g.tgisinternal
                 AND (g.tgtype OPERATOR(pg_catalog.&) 16::pg_catalog.int2) OPERATOR(pg_catalog.>) 0)
       OR EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r
                  WHERE r.ev_class OPERATOR(pg_catalog.=) target AND r.ev_type OPERATOR(pg_catalog.=) '2'::pg_catalog."char") THEN
        :read_back;
        IF changed OPERATOR(pg_catalog.>) 0 THEN
            RAISE EXCEPTION 'a trigger or a rule changed the tenant that rows were given: %', changed USING ERRCODE = 'TO006';
        END IF;
    END IF;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('random_page_cost', page_cost, true),
            pg_catalog.set_config('plan_cache_mode', plans, true), pg_catalog.set_config(variable, '', true);
    INSERT INTO tenant_ops.journal (run_id, tenant_id, row_keys, sources, before)
    SELECT run_id, tenant_id, row_keys, sources, before FROM unnest(batch.entries);
    SELECT array_agg(counted.rows ORDER BY counted.source) INTO assigned_by
    FROM (SELECT a.source, count(s.source) AS rows
          FROM tenant_ops.range AS l, unnest(l.assigned_by) WITH ORDINALITY AS a (so_far, source)
          LEFT JOIN (SELECT unnest(e.sources) AS source FROM unnest(batch.entries) AS e) AS s ON s.source = a.source
          WHERE l.id = batch.range
          GROUP BY a.source) AS counted;
    UPDATE tenant_ops.range AS l
    -- A batch that its limit cut short has not seen the whole range.
    SET next_tid = CASE WHEN batch.examined >= batch.row_limit THEN batch.from_tid ELSE batch.until_tid END,
        examined = l.examined + batch.examined,
        batches = l.batches + 1,
        assigned_by = ARRAY(SELECT a + b FROM unnest(l.assigned_by, batch.assigned_by) WITH ORDINALITY AS u (a, b, o) ORDER BY o)
    WHERE l.id = batch.range AND l.run_id = batch.run AND l.next_tid = batch.from_tid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'range % of run % was not locked before its batch', range, run USING ERRCODE = 'TO005';
    END IF;
    PERFORM set_config('tenant_ops.examined', examined::text, true), set_config('tenant_ops.assigned_by', assigned_by::text, true);
END
