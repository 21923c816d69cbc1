-- Publications that publish updates of table $2 in schema $1, or of its partitions, and whether every published one has a replica identity: without it the
-- server refuses the update.
WITH tables AS (
    SELECT c.oid, c.oid AS root FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
), leaves AS (
    SELECT c.oid, n.nspname, c.relname, c.relreplident
    FROM (SELECT oid FROM tables UNION SELECT p.relid FROM tables AS t, pg_partition_tree(t.oid) AS p) AS every
    JOIN pg_class AS c ON c.oid = every.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
)
SELECT p.pubname::text AS publication,
       bool_and(l.relreplident = 'f' OR EXISTS (SELECT FROM pg_index AS i
                                                WHERE i.indrelid = l.oid AND i.indimmediate AND i.indisvalid
                                                  AND CASE l.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)) AS identified
FROM pg_publication_tables AS pt
JOIN pg_publication AS p ON p.pubname = pt.pubname AND p.pubupdate
JOIN leaves AS l ON l.nspname = pt.schemaname AND l.relname = pt.tablename
GROUP BY p.pubname
ORDER BY p.pubname
