-- What runs beside a rollout, as text for people: transactions of this database that are older than $1 seconds, how many sessions hide theirs from
-- this login, prepared transactions, standbys, whether their state may be read, and slots that nobody reads from, with what they keep.
WITH login AS (
    SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS reads_all
)
SELECT ARRAY(SELECT format('process %s of %s%s, for %s s', a.pid, a.usename, coalesce(' (' || nullif(a.application_name, '') || ')', ''),
                           extract(epoch FROM clock_timestamp() - a.xact_start)::bigint)
             FROM pg_stat_activity AS a
             WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start < clock_timestamp() - make_interval(secs => $1)
             ORDER BY a.xact_start) AS long_transactions,
       (SELECT count(*) FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND NOT login.reads_all AND a.usesysid IS NOT NULL AND NOT pg_has_role(a.usesysid, 'USAGE')) AS hidden_sessions,
       ARRAY(SELECT format('`%s` of %s, for %s s', p.gid, p.owner, extract(epoch FROM clock_timestamp() - p.prepared)::bigint)
             FROM pg_prepared_xacts AS p WHERE p.database = current_database() ORDER BY p.prepared) AS prepared_transactions,
       -- The time is NULL where nothing was written lately, the distance is not.
       ARRAY(SELECT coalesce(nullif(s.application_name, ''), 'process ' || s.pid)
                    || coalesce(format(', %s kB behind', round(pg_wal_lsn_diff(pg_current_wal_lsn(), s.replay_lsn) / 1024)), '')
                    || coalesce(format(', by %s s', extract(epoch FROM s.replay_lag)::bigint), '')
             FROM pg_stat_replication AS s ORDER BY s.pid) AS standbys,
       login.reads_all AS standbys_are_readable,
       ARRAY(SELECT s.slot_name || coalesce(format(', %s kB', round(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) / 1024)), '')
                    || coalesce(nullif(format(' (%s)', s.wal_status), ' (reserved)'), '')
             FROM pg_replication_slots AS s WHERE NOT s.active ORDER BY 1) AS idle_slots
FROM login
