-- The schema tenant_ops as layout 7 made it: an upgrade is tested from here.
CREATE SCHEMA tenant_ops
;

CREATE TABLE IF NOT EXISTS tenant_ops.installed (
    version int NOT NULL
);

-- Who works on what. The fence is part of a key on purpose: taking a lease over changes it, and so waits for, and then shuts
-- out, every batch that holds KEY SHARE on the old one; a heartbeat changes no key and waits for nobody.
CREATE TABLE IF NOT EXISTS tenant_ops.lease (
    resource text PRIMARY KEY,
    fence bigint NOT NULL,
    holder text NOT NULL,
    acquired_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    UNIQUE (resource, fence)
);
-- Whoever waits for a lease judges by their own clock whether the heartbeats are still counted; the times are for people to read, as the
-- server's clock can be set back.
ALTER TABLE tenant_ops.lease ADD COLUMN IF NOT EXISTS heartbeats bigint NOT NULL DEFAULT 0;
ALTER TABLE tenant_ops.lease ADD COLUMN IF NOT EXISTS released_at timestamptz;
ALTER TABLE tenant_ops.lease DROP COLUMN IF EXISTS expires_at;

CREATE TABLE IF NOT EXISTS tenant_ops.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text NOT NULL,
    table_name text NOT NULL,
    state text NOT NULL,
    on_conflict text NOT NULL,
    sources text[] NOT NULL,
    tool_version text NOT NULL,
    login text NOT NULL DEFAULT session_user,
    host text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    pass int NOT NULL DEFAULT 1,
    -- What the lanes of earlier passes did; those of this one keep their own counts.
    batches bigint NOT NULL DEFAULT 0,
    assigned_by bigint[] NOT NULL
);

-- One row for each tenant and batch: which rows were given that tenant, and from which source (1 is the best).
CREATE TABLE IF NOT EXISTS tenant_ops.journal (
    run_id bigint NOT NULL REFERENCES tenant_ops.run (id),
    tenant_id text NOT NULL,
    row_keys text[] NOT NULL,
    sources smallint[] NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS journal_run ON tenant_ops.journal (run_id);
-- What came with undo, for a database that had the book-keeping before.
ALTER TABLE tenant_ops.journal ADD COLUMN IF NOT EXISTS id bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE tenant_ops.journal ADD COLUMN IF NOT EXISTS undone_at timestamptz;
ALTER TABLE tenant_ops.journal ADD COLUMN IF NOT EXISTS undone_rows bigint;
ALTER TABLE tenant_ops.run DROP CONSTRAINT IF EXISTS run_state_check;
ALTER TABLE tenant_ops.run ADD CONSTRAINT run_state_check
    CHECK (state IN ('running', 'paused', 'stopped', 'cancelled', 'done', 'undone'));
DROP INDEX IF EXISTS tenant_ops.run_unfinished;
CREATE INDEX run_unfinished ON tenant_ops.run (table_name) WHERE state IN ('running', 'paused', 'stopped');
-- What came with several processes in one run.
ALTER TABLE tenant_ops.run DROP COLUMN IF EXISTS next_tid;
ALTER TABLE tenant_ops.run ADD COLUMN IF NOT EXISTS examined bigint NOT NULL DEFAULT 0;
ALTER TABLE tenant_ops.run ADD COLUMN IF NOT EXISTS state_by text;
ALTER TABLE tenant_ops.run ADD COLUMN IF NOT EXISTS state_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- The work of a pass: ranges of pages of a table or leaf, each with a checkpoint. Whoever does a batch locks the row of its lane for
-- that transaction, so the server itself shares the work out, and takes it back from a process that died.
CREATE TABLE IF NOT EXISTS tenant_ops.lane (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES tenant_ops.run (id),
    leaf text NOT NULL,
    next_tid tid NOT NULL,
    until_tid tid NOT NULL,
    examined bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0,
    assigned_by bigint[] NOT NULL
);
CREATE INDEX IF NOT EXISTS lane_run ON tenant_ops.lane (run_id);

-- Rows that the table itself refused in this pass.
CREATE TABLE IF NOT EXISTS tenant_ops.refused (
    run_id bigint NOT NULL REFERENCES tenant_ops.run (id),
    row_key text NOT NULL,
    error text NOT NULL,
    PRIMARY KEY (run_id, row_key)
);

-- The processes that work at a run, for people to look at: what they may do does not depend on it.
CREATE TABLE IF NOT EXISTS tenant_ops.member (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES tenant_ops.run (id),
    holder text NOT NULL,
    workers int NOT NULL,
    note text,
    joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS member_run ON tenant_ops.member (run_id);

-- How far each run has come.
CREATE OR REPLACE VIEW tenant_ops.progress AS
SELECT r.id AS run_id,
       r.pass,
       r.examined + coalesce(l.examined, 0) AS examined,
       r.batches + coalesce(l.batches, 0) AS batches,
       ARRAY(SELECT sum(a.rows)::bigint
             FROM (SELECT r.assigned_by UNION ALL SELECT o.assigned_by FROM tenant_ops.lane AS o WHERE o.run_id = r.id) AS s (counts),
                  unnest(s.counts) WITH ORDINALITY AS a (rows, source)
             GROUP BY a.source ORDER BY a.source) AS assigned_by,
       coalesce(l.lanes, 0) AS lanes,
       coalesce(l.lanes_done, 0) AS lanes_done
FROM tenant_ops.run AS r
LEFT JOIN (SELECT run_id, sum(examined)::bigint AS examined, sum(batches)::bigint AS batches, count(*) AS lanes,
                  count(*) FILTER (WHERE next_tid >= until_tid) AS lanes_done
           FROM tenant_ops.lane GROUP BY run_id) AS l ON l.run_id = r.id;

-- Rollouts of row level security: who, when, from where, how far.
CREATE TABLE IF NOT EXISTS tenant_ops.rollout (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'stopped', 'done')),
    tool_version text NOT NULL,
    login text NOT NULL DEFAULT session_user,
    host text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
);

-- Each step of a rollout: what it ran, and every definition that it changed, as it was before and as it was left. Written in the
-- transaction of the step itself. An undone step names the rollout that took it back.
CREATE TABLE IF NOT EXISTS tenant_ops.rollout_step (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rollout_id bigint NOT NULL REFERENCES tenant_ops.rollout (id),
    schema_name text NOT NULL,
    table_name text NOT NULL,
    phase text NOT NULL,
    step text NOT NULL,
    statements text[] NOT NULL,
    changes jsonb NOT NULL,
    done_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    undone_by bigint REFERENCES tenant_ops.rollout (id)
);
CREATE INDEX IF NOT EXISTS rollout_step_standing ON tenant_ops.rollout_step (schema_name, table_name) WHERE undone_by IS NULL;

-- What people decided: entries that are looked for by their rows, when the same decisions are applied again.
ALTER TABLE tenant_ops.journal ADD COLUMN IF NOT EXISTS decided boolean NOT NULL DEFAULT false;
CREATE INDEX IF NOT EXISTS journal_decided ON tenant_ops.journal USING gin (row_keys) WHERE decided;

-- What did the batches before each was a statement of its own.
DROP FUNCTION IF EXISTS tenant_ops.assign_batch(bigint, text, bigint, text, text, text, tid, tid, bigint);
DROP FUNCTION IF EXISTS tenant_ops.assign_batch(bigint, text, bigint, text, text, text, tid, tid, tid, bigint);
DROP FUNCTION IF EXISTS tenant_ops.assign_batch(bigint, bigint, text, text, text, tid, tid, bigint);
-- One batch of what people decided: the statement p_judge locks the rows that can be given their tenant and groups the decisions by
-- verdict and tenant; each group that is ready is then written by p_write inside that tenant's scope. Data and journal commit together.
-- The statements run under the path that the application's code expects, so every name and operator in the loop has its schema.
-- SECURITY INVOKER: the statements come from the caller and run with no more than the caller's rights.
CREATE OR REPLACE FUNCTION tenant_ops.apply_batch(
    p_run bigint, p_variable text, p_judge text, p_write text, p_row_keys text[], p_tenants text[], p_fingerprints text[])
RETURNS TABLE (verdict text, nths bigint[], has text[])
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_group record;
    v_written bigint;
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
;
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
;
-- What the maintenance role needs of the book-keeping, no more.
GRANT USAGE ON SCHEMA tenant_ops TO tenant_maintenance;
-- It had more before runs had lanes.
REVOKE ALL ON tenant_ops.lease, tenant_ops.run FROM tenant_maintenance;
GRANT INSERT ON tenant_ops.journal TO tenant_maintenance;
GRANT SELECT ON tenant_ops.run TO tenant_maintenance;
GRANT SELECT, UPDATE (next_tid, examined, batches, assigned_by) ON tenant_ops.lane TO tenant_maintenance;
GRANT SELECT, INSERT, UPDATE (error) ON tenant_ops.refused TO tenant_maintenance;
REVOKE ALL ON FUNCTION tenant_ops.apply_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_ops.apply_batch TO tenant_maintenance;
GRANT UPDATE (batches, assigned_by) ON tenant_ops.run TO tenant_maintenance;
