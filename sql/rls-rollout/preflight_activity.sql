-- What runs beside a rollout: transactions of this database that are older than $1 seconds, how many sessions hide theirs from this login,
-- prepared transactions, standbys, whether their state may be read, and slots that nobody reads from, with what they keep.
WITH login AS (
    SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS reads_all
)
SELECT (SELECT coalesce(json_agg(json_build_object(
                   'pid', a.pid,
                   'role', a.usename,
                   'application', nullif(a.application_name, ''),
                   'seconds', extract(epoch FROM clock_timestamp() - a.xact_start)::bigint) ORDER BY a.xact_start), '[]')
        FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start < clock_timestamp() - make_interval(secs => $1)) AS long_transactions,
       (SELECT count(*) FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND NOT login.reads_all AND a.usesysid IS NOT NULL AND NOT pg_has_role(a.usesysid, 'USAGE')) AS hidden_sessions,
       (SELECT coalesce(json_agg(json_build_object(
                   'name', p.gid,
                   'owner', p.owner,
                   'seconds', extract(epoch FROM clock_timestamp() - p.prepared)::bigint) ORDER BY p.prepared), '[]')
        FROM pg_prepared_xacts AS p WHERE p.database = current_database()) AS prepared_transactions,
       -- The time is NULL where nothing was written lately, the distance is not.
       (SELECT coalesce(json_agg(json_build_object(
                   'pid', s.pid,
                   'application', nullif(s.application_name, ''),
                   'behind_kb', round(pg_wal_lsn_diff(pg_current_wal_lsn(), s.replay_lsn) / 1024)::bigint,
                   'behind_seconds', extract(epoch FROM s.replay_lag)::bigint) ORDER BY s.pid), '[]')
        FROM pg_stat_replication AS s) AS standbys,
       login.reads_all AS standbys_are_readable,
       (SELECT coalesce(json_agg(json_build_object(
                   'name', s.slot_name,
                   'kept_kb', round(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) / 1024)::bigint,
                   'wal_status', s.wal_status) ORDER BY s.slot_name::text), '[]')
        FROM pg_replication_slots AS s WHERE NOT s.active) AS unread_slots
FROM login
