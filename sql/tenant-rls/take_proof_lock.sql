-- Takes an advisory lock that nobody else has, until the transaction ends, and tells how pg_locks shows it: a lock that is seen on another
-- connection proves that both lead to one database. It needs no right, and works on a standby.
WITH drawn AS MATERIALIZED (
    SELECT ('x' || left(md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text), 16))::bit(64)::bigint AS key
), taken AS MATERIALIZED (
    SELECT key, pg_try_advisory_xact_lock(key) AS done FROM drawn
)
SELECT (key >> 32) & 4294967295 AS class, key & 4294967295 AS object FROM taken WHERE done
