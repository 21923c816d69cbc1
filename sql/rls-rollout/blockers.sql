-- Who holds a lock on one of the tables $2 in the schemas $1 or on a partition of one, other sessions and prepared transactions, longest first. What a role
-- without pg_monitor may not know is NULL: also what kind of process it is. But a session has a role, and an autovacuum has none. Not pg_partition_tree(),
-- which would itself wait for a lock.
WITH RECURSIVE member AS (
    SELECT c.oid
    FROM unnest($1::text[], $2::text[]) AS t (schema, name)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
    UNION
    SELECT i.inhrelid
    FROM member AS m
    JOIN pg_inherits AS i ON i.inhparent = m.oid
    JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
)
SELECT l.pid,
       a.usename::text AS role,
       a.application_name AS application,
       coalesce(a.backend_type = 'autovacuum worker', l.pid IS NOT NULL AND a.usesysid IS NULL) AS autovacuum,
       a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds,
       p.gid AS prepared,
       string_agg(DISTINCT l.mode, ', ') AS modes,
       n.nspname::text AS schema,
       c.relname::text AS name
FROM member AS m
JOIN pg_class AS c ON c.oid = m.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_locks AS l ON l.relation = c.oid
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
-- What the virtual transaction of a prepared one looks like differs from version to version; that its own lock on its id is there does not.
LEFT JOIN pg_locks AS own ON l.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid' AND own.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_prepared_xacts AS p ON p.transaction = own.transactionid
WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid IS DISTINCT FROM pg_backend_pid()
GROUP BY 1, 2, 3, 4, 5, 6, 7, 9, 10
ORDER BY 6 DESC NULLS LAST
LIMIT $3
