-- What the server says of its load beside a backfill of the table `table` in the schema `schema`, in one row: its clock and WAL position; who follows the WAL and
-- how far behind; who works on the table; how many wait for us; how many sessions were at work within `at_work` seconds. What this login may not see is counted.
WITH login AS MATERIALIZED (
    SELECT d.oid AS database, pg_has_role('pg_read_all_stats', 'USAGE') AS reads_all
    FROM pg_database AS d
    WHERE d.datname = current_database()
), locks AS MATERIALIZED (
    SELECT l.pid, l.relation, l.mode, l.granted
    FROM pg_locks AS l, login
    WHERE l.database = login.database OR NOT l.granted
), sessions AS MATERIALIZED (
    SELECT a.pid, a.usesysid, a.usename, a.application_name, a.backend_type, a.datid = login.database AS here,
           a.datid = login.database AND a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend' AS client,
           a.state = 'active' OR a.state_change > clock_timestamp() - make_interval(secs => :'at_work') AS at_work,
           a.usesysid IS NOT NULL AND NOT login.reads_all AND NOT pg_has_role(a.usesysid, 'USAGE') AS hidden
    FROM pg_stat_activity AS a, login
), ours AS MATERIALIZED (
    -- Workers hold a lock on tenant_ops while a batch is open, whichever process or host they are of; nobody needs a right to see that.
    SELECT l.pid
    FROM locks AS l
    JOIN pg_class AS c ON c.oid = l.relation
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE l.granted AND l.pid IS NOT NULL AND n.nspname = 'tenant_ops'
    UNION
    -- Who waits for our sessions in another database waits for the run there, which has a throttle of its own.
    SELECT s.pid FROM sessions AS s WHERE s.here AND s.usename = session_user AND s.application_name = current_setting('application_name')
    UNION
    SELECT pg_backend_pid()
), relations AS (
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = :'schema' AND c.relname = :'table'
), leaves AS (
    SELECT oid FROM relations
    UNION
    SELECT p.relid FROM relations AS r, pg_partition_tree(r.oid) AS p
), workings AS (
    -- A session has a role and an autovacuum has none: that shows where the kind of process is hidden.
    SELECT coalesce(l.pid, 0) AS pid,
           coalesce(bool_or(s.backend_type = 'autovacuum worker' OR s.pid IS NOT NULL AND s.usesysid IS NULL), false) AS autovacuum,
           min(s.usename::text) AS role,
           min(nullif(s.application_name, '')) AS application,
           string_agg(DISTINCT l.mode, ', ') AS modes
    FROM locks AS l
    JOIN leaves ON leaves.oid = l.relation
    LEFT JOIN sessions AS s ON s.pid = l.pid
    WHERE l.granted AND (l.pid IS NULL OR l.pid NOT IN (SELECT pid FROM ours))
      AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    GROUP BY l.pid
), waiting AS (
    SELECT DISTINCT l.pid FROM locks AS l WHERE NOT l.granted AND l.pid NOT IN (SELECT pid FROM ours)
), standbys AS (
    SELECT r.pid, coalesce(nullif(r.application_name, ''), 'process ' || r.pid) AS name, r.state,
           CASE WHEN r.replay_lsn = pg_current_wal_lsn() THEN 0 ELSE extract(epoch FROM r.replay_lag) END AS seconds,
           pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(r.replay_lsn, r.flush_lsn, r.write_lsn, r.sent_lsn)) AS bytes
    FROM pg_stat_replication AS r
), followers AS (
    SELECT name, coalesce(seconds, 0)::float8 AS seconds, greatest(bytes, 0)::bigint AS bytes
    FROM standbys
    WHERE state IN ('streaming', 'catchup')
    UNION ALL
    -- Slots show to everyone how far behind their reader is, in bytes. Nobody reads from an inactive one: waiting for it would never end.
    SELECT 'slot ' || s.slot_name, 0, greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(s.confirmed_flush_lsn, s.restart_lsn)), 0)::bigint
    FROM pg_replication_slots AS s
    WHERE s.active AND s.restart_lsn IS NOT NULL AND NOT EXISTS (SELECT FROM standbys AS r WHERE r.pid = s.active_pid AND r.state IS NOT NULL)
)
SELECT extract(epoch FROM clock_timestamp())::float8 AS clock,
       (pg_current_wal_insert_lsn() - '0/0')::bigint AS wal_position,
       ARRAY(SELECT name FROM followers ORDER BY name, bytes) AS followers,
       ARRAY(SELECT seconds FROM followers ORDER BY name, bytes) AS follower_seconds,
       ARRAY(SELECT bytes FROM followers ORDER BY name, bytes) AS follower_bytes,
       (SELECT count(*) FROM standbys AS r
        WHERE r.state IS NULL AND NOT EXISTS (SELECT FROM pg_replication_slots AS s WHERE s.active_pid = r.pid)) AS hidden_standbys,
       (SELECT coalesce(json_agg(json_build_object('pid', pid, 'autovacuum', autovacuum, 'role', role, 'application', application, 'modes', modes)
                                 ORDER BY pid), '[]')
        FROM workings) AS working,
       (SELECT count(*) FROM waiting AS w WHERE pg_blocking_pids(w.pid) && ARRAY(SELECT pid FROM ours)) AS waiters,
       (SELECT count(*) FROM sessions AS s WHERE s.client AND s.at_work AND s.pid NOT IN (SELECT pid FROM ours)) AS active_sessions,
       (SELECT count(*) FROM sessions AS s WHERE s.client AND s.hidden AND s.pid NOT IN (SELECT pid FROM ours)) AS hidden_sessions
FROM login
