-- Who will have to follow what is written: standbys, how many of these tell this login nothing, slots that nobody reads from and what WAL they hold, and the most that
-- the server keeps for slots (-1: all of it) and for standbys without one, in bytes.
SELECT (SELECT count(*) FROM pg_stat_replication),
       (SELECT count(*) FROM pg_stat_replication WHERE state IS NULL),
       (SELECT count(*) FROM pg_replication_slots WHERE active),
       ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE NOT active ORDER BY slot_name),
       ARRAY(SELECT coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint FROM pg_replication_slots WHERE NOT active ORDER BY slot_name),
       CASE current_setting('max_slot_wal_keep_size') WHEN '-1' THEN -1 ELSE pg_size_bytes(current_setting('max_slot_wal_keep_size')) END,
       pg_size_bytes(current_setting('wal_keep_size'))
