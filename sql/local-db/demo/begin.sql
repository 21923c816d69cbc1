-- Loads without firing foreign keys, which rows of deleted tenants could not pass, and without secondary indexes, which finish.sql makes
-- again. Only of tables that are empty, so that making them again costs nothing. For a superuser, in the transaction of the seed.
SET LOCAL search_path = public, pg_temp;
SET LOCAL session_replication_role = replica;
SET LOCAL synchronous_commit = off;
SET LOCAL work_mem = '256MB';
SET LOCAL maintenance_work_mem = '256MB';
-- The plans are for temporary tables just made; compiling them costs more than it gains.
SET LOCAL jit = off;

CREATE TEMP TABLE dropped_index ON COMMIT DROP AS
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index AS i
WHERE i.indrelid IN ('bookings'::regclass, '"ServiceRequest"'::regclass, '"WorkOrder"'::regclass, 'invoices'::regclass,
                     'chat_messages'::regclass)
  AND NOT i.indisprimary
  AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid);
DO $$
DECLARE
    v_index record;
BEGIN
    FOR v_index IN SELECT * FROM dropped_index LOOP
        EXECUTE 'DROP INDEX ' || v_index.name;
    END LOOP;
END
$$;

-- What each statement planted, as that statement itself counted it.
CREATE TEMP TABLE planted_rows (
    table_name text PRIMARY KEY,
    rows bigint NOT NULL,
    without_tenant bigint NOT NULL,
    empty_string bigint NOT NULL,
    ghost bigint NOT NULL
) ON COMMIT DROP;
