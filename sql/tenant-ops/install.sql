-- The book-keeping of maintenance runs, in the schema tenant_ops, which is there. Safe to run twice.

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
    -- What the ranges of earlier passes did; those of this one keep their own counts.
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
    CHECK (state IN ('running', 'paused', 'stopped', 'cancelled', 'done', 'undoing', 'undone'));
DROP INDEX IF EXISTS tenant_ops.run_unfinished;
CREATE INDEX run_unfinished ON tenant_ops.run (table_name) WHERE state IN ('running', 'paused', 'stopped');
-- What came with several processes in one run.
ALTER TABLE tenant_ops.run DROP COLUMN IF EXISTS next_tid;
ALTER TABLE tenant_ops.run ADD COLUMN IF NOT EXISTS examined bigint NOT NULL DEFAULT 0;
ALTER TABLE tenant_ops.run ADD COLUMN IF NOT EXISTS state_by text;
ALTER TABLE tenant_ops.run ADD COLUMN IF NOT EXISTS state_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- Up to layout 7 ranges were called lanes, and processes of a run members. What people may read of them they may read on.
DO $$
BEGIN
    IF pg_catalog.to_regclass('tenant_ops.lane') IS NOT NULL THEN
        ALTER TABLE tenant_ops.lane RENAME TO range;
        ALTER TABLE tenant_ops.range RENAME CONSTRAINT lane_run_id_fkey TO range_run_id_fkey;
        ALTER INDEX tenant_ops.lane_pkey RENAME TO range_pkey;
        ALTER INDEX IF EXISTS tenant_ops.lane_run RENAME TO range_run;
        ALTER SEQUENCE tenant_ops.lane_id_seq RENAME TO range_id_seq;
    END IF;
    IF pg_catalog.to_regclass('tenant_ops.member') IS NOT NULL THEN
        ALTER TABLE tenant_ops.member RENAME TO run_process;
        ALTER TABLE tenant_ops.run_process RENAME CONSTRAINT member_run_id_fkey TO run_process_run_id_fkey;
        ALTER INDEX tenant_ops.member_pkey RENAME TO run_process_pkey;
        ALTER INDEX IF EXISTS tenant_ops.member_run RENAME TO run_process_run;
        ALTER SEQUENCE tenant_ops.member_id_seq RENAME TO run_process_id_seq;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute
               WHERE attrelid = pg_catalog.to_regclass('tenant_ops.progress') AND attname = 'lanes' AND NOT attisdropped) THEN
        ALTER VIEW tenant_ops.progress RENAME COLUMN lanes TO ranges;
        ALTER VIEW tenant_ops.progress RENAME COLUMN lanes_done TO ranges_done;
    END IF;
END
$$;

-- The work of a pass: ranges of pages of a table or leaf, each with a checkpoint. Whoever does a batch locks the row of its range for
-- that transaction, so the server itself shares the work out, and takes it back from a process that died.
CREATE TABLE IF NOT EXISTS tenant_ops.range (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES tenant_ops.run (id),
    leaf text NOT NULL,
    next_tid tid NOT NULL,
    until_tid tid NOT NULL,
    examined bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0,
    assigned_by bigint[] NOT NULL
);
CREATE INDEX IF NOT EXISTS range_run ON tenant_ops.range (run_id);

-- Rows that the table itself refused in this pass.
CREATE TABLE IF NOT EXISTS tenant_ops.refused (
    run_id bigint NOT NULL REFERENCES tenant_ops.run (id),
    row_key text NOT NULL,
    error text NOT NULL,
    PRIMARY KEY (run_id, row_key)
);

-- The processes that work at a run, for people to look at: what they may do does not depend on it.
CREATE TABLE IF NOT EXISTS tenant_ops.run_process (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES tenant_ops.run (id),
    holder text NOT NULL,
    workers int NOT NULL,
    note text,
    joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS run_process_run ON tenant_ops.run_process (run_id);

-- How far each run has come.
CREATE OR REPLACE VIEW tenant_ops.progress AS
SELECT r.id AS run_id,
       r.pass,
       r.examined + coalesce(l.examined, 0) AS examined,
       r.batches + coalesce(l.batches, 0) AS batches,
       ARRAY(SELECT sum(a.rows)::bigint
             FROM (SELECT r.assigned_by UNION ALL SELECT o.assigned_by FROM tenant_ops.range AS o WHERE o.run_id = r.id) AS s (counts),
                  unnest(s.counts) WITH ORDINALITY AS a (rows, source)
             GROUP BY a.source ORDER BY a.source) AS assigned_by,
       coalesce(l.ranges, 0) AS ranges,
       coalesce(l.ranges_done, 0) AS ranges_done
FROM tenant_ops.run AS r
LEFT JOIN (SELECT run_id, sum(examined)::bigint AS examined, sum(batches)::bigint AS batches, count(*) AS ranges,
                  count(*) FILTER (WHERE next_tid >= until_tid) AS ranges_done
           FROM tenant_ops.range GROUP BY run_id) AS l ON l.run_id = r.id;

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
DROP FUNCTION IF EXISTS tenant_ops.undo_batch(bigint, text, bigint, text, text, bigint);
DROP FUNCTION IF EXISTS tenant_ops.apply_batch(bigint, text, text, text, text[], text[], text[]);

-- An undo goes through the entries of a run from the newest to the oldest, and must not sort them for each batch.
CREATE INDEX IF NOT EXISTS journal_standing ON tenant_ops.journal (run_id, id) WHERE undone_at IS NULL;

-- What a row had before, where that was not nothing: the value that a run mapped, or a tenant that did not exist. Such a run gives the
-- empty string where a row is to have no tenant.
ALTER TABLE tenant_ops.journal ADD COLUMN IF NOT EXISTS before text;
