-- Triggers of table $2 in schema $1, and of its partitions, that stand for the event $4, 4 for INSERT, 8 for DELETE or 16 for UPDATE: what each
-- runs, when, and whether it would fire where column $3 is written.
WITH tables AS (
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
), leaves AS (
    SELECT oid FROM tables
    UNION
    SELECT p.relid FROM tables AS t, pg_partition_tree(t.oid) AS p
)
SELECT t.tgname::text AS name,
       min(format('%I.%I', n.nspname, p.proname)) AS function,
       min(CASE WHEN t.tgtype & 2 > 0 THEN 'before' ELSE 'after' END) AS timing,
       bool_or(t.tgtype & 1 > 0) AS each_row,
       min(t.tgenabled::text) AS enabled,
       bool_or(t.tgqual IS NOT NULL) AS conditional,
       bool_and(p.prosecdef) AS security_definer,
       -- Behind UPDATE OF stand the columns; BEFORE triggers that change others in passing make no difference.
       bool_or(t.tgenabled IN ('A', CASE current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)
               AND ($4::int <> 16 OR cardinality(t.tgattr::int2[]) = 0 OR a.attnum = ANY (t.tgattr::int2[]))) AS fires
FROM leaves
JOIN pg_trigger AS t ON t.tgrelid = leaves.oid AND NOT t.tgisinternal AND t.tgtype & $4::int > 0
JOIN pg_attribute AS a ON a.attrelid = leaves.oid AND a.attname = $3
JOIN pg_proc AS p ON p.oid = t.tgfoid
JOIN pg_namespace AS n ON n.oid = p.pronamespace
GROUP BY t.tgname
ORDER BY t.tgname
