-- Rules of table $2 in schema $1, and of its partitions, for the event $3 (2 is UPDATE, 3 INSERT, 4 DELETE) that the server applies in this
-- session: what each does, and whether it does that instead.
WITH tables AS (
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
), leaves AS (
    SELECT oid FROM tables
    UNION
    SELECT p.relid FROM tables AS t, pg_partition_tree(t.oid) AS p
)
SELECT r.rulename::text AS name, bool_or(r.is_instead) AS instead, min(pg_get_ruledef(r.oid)) AS definition
FROM leaves
JOIN pg_rewrite AS r ON r.ev_class = leaves.oid AND r.ev_type::text = $3
WHERE r.ev_enabled IN ('A', CASE current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)
GROUP BY r.rulename
ORDER BY r.rulename
