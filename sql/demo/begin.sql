-- Loads without firing foreign keys, which rows of deleted tenants could not pass, and without the secondary indexes, which are made
-- again by finish.sql.
SET LOCAL session_replication_role = replica;
SET LOCAL synchronous_commit = off;
SET LOCAL work_mem = '256MB';
CREATE TEMP TABLE dropped_index ON COMMIT DROP AS
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisprimary
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid);
DO $$
DECLARE
    v_index record;
BEGIN
    FOR v_index IN SELECT * FROM dropped_index LOOP
        EXECUTE 'DROP INDEX ' || v_index.name;
    END LOOP;
END
$$;
