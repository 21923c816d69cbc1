-- The book-keeping of maintenance runs, in a schema of its own. Safe to run twice.
CREATE SCHEMA IF NOT EXISTS tenant_ops;

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
    expires_at timestamptz NOT NULL,
    UNIQUE (resource, fence)
);

CREATE TABLE IF NOT EXISTS tenant_ops.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text NOT NULL,
    table_name text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'stopped', 'done', 'undone')),
    on_conflict text NOT NULL,
    sources text[] NOT NULL,
    tool_version text NOT NULL,
    login text NOT NULL DEFAULT session_user,
    host text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    pass int NOT NULL DEFAULT 1,
    next_tid tid NOT NULL DEFAULT '(0,0)',
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
ALTER TABLE tenant_ops.run ADD CONSTRAINT run_state_check CHECK (state IN ('running', 'stopped', 'done', 'undone'));
DROP INDEX IF EXISTS tenant_ops.run_unfinished;
CREATE INDEX run_unfinished ON tenant_ops.run (table_name) WHERE state IN ('running', 'stopped');

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
