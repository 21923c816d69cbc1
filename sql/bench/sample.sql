-- What goes on in database $1 now, the load and whoever looks aside: the time, and each session in a transaction with when that began,
-- whether it has locked or written a row, whether it is an autovacuum, and what it waits for (CPU: for nothing). A row without a
-- session where there is none.
SELECT extract(epoch FROM clock.now)::float8 AS now,
       a.pid,
       extract(epoch FROM a.xact_start)::float8 AS began,
       a.backend_xid IS NOT NULL AS locks,
       a.backend_type = 'autovacuum worker' AS autovacuum,
       coalesce(a.wait_event_type || ':' || a.wait_event, 'CPU') AS waits_for
FROM (SELECT clock_timestamp() AS now) AS clock
LEFT JOIN pg_stat_activity AS a ON a.datname = $1 AND a.application_name <> 'bench load' AND a.xact_start IS NOT NULL
