-- What is left to vacuum in table $2 of schema $1 and its partitions: dead rows, the bytes that they take, whether autovacuum is on for every one, whether the
-- dead rows of one are enough for it to come, and whether this login may ANALYZE.
WITH tables AS (
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
), leaves AS (
    SELECT c.oid, c.relowner, greatest(c.reltuples, 0) AS rows, s.n_dead_tup AS dead, s.n_live_tup AS live, o.*
    FROM (SELECT oid FROM tables UNION SELECT p.relid FROM tables AS t, pg_partition_tree(t.oid) AS p) AS every
    JOIN pg_class AS c ON c.oid = every.oid AND c.relkind = 'r'
    JOIN pg_stat_all_tables AS s ON s.relid = c.oid
    CROSS JOIN LATERAL (
        SELECT max(option_value) FILTER (WHERE option_name = 'autovacuum_enabled') AS enabled,
               max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold') AS threshold,
               max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS scale
        FROM pg_options_to_table(c.reloptions)
    ) AS o
)
SELECT coalesce(sum(dead), 0)::bigint AS dead_rows,
       coalesce(sum(pg_relation_size(oid) * dead::numeric / nullif(dead + live, 0)), 0)::bigint AS dead_bytes,
       current_setting('autovacuum')::boolean AND coalesce(bool_and(coalesce(enabled::boolean, true)), true) AS autovacuum_is_on,
       coalesce(bool_or(dead > coalesce(nullif(threshold, '-1')::float8, current_setting('autovacuum_vacuum_threshold')::float8)
                               + coalesce(nullif(scale, '-1')::float8, current_setting('autovacuum_vacuum_scale_factor')::float8) * rows), false) AS autovacuum_comes,
       coalesce(bool_and(pg_has_role(relowner, 'USAGE')
                         OR CASE WHEN current_setting('server_version_num')::int >= 170000 THEN has_table_privilege(oid, 'MAINTAIN') ELSE false END), false)
       OR EXISTS (SELECT FROM pg_database AS d WHERE d.datname = current_database() AND pg_has_role(d.datdba, 'USAGE')) AS may_analyze
FROM leaves
