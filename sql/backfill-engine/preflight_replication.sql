-- Who will have to follow what is written: standbys, how many of these tell this login nothing, slots that nobody reads from and what WAL they hold, and the most that
-- the server keeps for slots (-1: all of it) and for standbys without one, in bytes.
SELECT (SELECT count(*) FROM pg_stat_replication) AS standbys,
       (SELECT count(*) FROM pg_stat_replication WHERE state IS NULL) AS hidden_standbys,
       (SELECT count(*) FROM pg_replication_slots WHERE active) AS active_slots,
       ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE NOT active ORDER BY slot_name) AS idle_slots,
       ARRAY(SELECT coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint FROM pg_replication_slots WHERE NOT active ORDER BY slot_name) AS idle_slot_bytes,
       CASE current_setting('max_slot_wal_keep_size') WHEN '-1' THEN -1 ELSE pg_size_bytes(current_setting('max_slot_wal_keep_size')) END AS slot_limit,
       pg_size_bytes(current_setting('wal_keep_size')) AS kept_bytes
