-- What table $2 in schema $1 and its partitions take: bytes of rows and of indexes, rows by the last ANALYZE (negative: there was none) and dead ones beside, indexes; and
-- whether the server writes whole pages after a checkpoint, and how much WAL lies between two.
WITH tables AS (
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
), leaves AS (
    SELECT c.oid, c.reltuples
    FROM (SELECT oid FROM tables UNION SELECT p.relid FROM tables AS t, pg_partition_tree(t.oid) AS p) AS every
    JOIN pg_class AS c ON c.oid = every.oid AND c.relkind = 'r'
), indexes AS (
    SELECT i.indexrelid FROM leaves JOIN pg_index AS i ON i.indrelid = leaves.oid
)
SELECT (SELECT coalesce(sum(pg_relation_size(oid)), 0)::bigint FROM leaves) AS heap_bytes,
       (SELECT coalesce(sum(pg_relation_size(indexrelid)), 0)::bigint FROM indexes) AS index_bytes,
       (SELECT CASE WHEN bool_or(reltuples < 0) THEN -1 ELSE coalesce(sum(reltuples + s.n_dead_tup), 0) END::float8
        FROM leaves JOIN pg_stat_all_tables AS s ON s.relid = leaves.oid) AS rows,
       (SELECT count(*) FROM indexes) / greatest((SELECT count(*) FROM leaves), 1) AS index_count,
       current_setting('full_page_writes')::boolean AS full_pages,
       current_setting('block_size')::bigint AS page_bytes,
       pg_size_bytes(current_setting('max_wal_size')) AS checkpoint_bytes
