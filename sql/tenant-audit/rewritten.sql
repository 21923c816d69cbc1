-- Which of the tables (schemas $1, names $2) were created, rewritten or truncated since this transaction's snapshot: to it they
-- look empty. pg_class is read as of the snapshot, pg_relation_filenode() as of now; partitions count for their parent.
SELECT w.schema, w.name
FROM unnest($1::text[], $2::text[]) AS w(schema, name)
WHERE NOT EXISTS (
          SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = w.schema AND c.relname = w.name)
   OR EXISTS (
          SELECT
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          CROSS JOIN LATERAL (SELECT c.oid UNION SELECT t.relid FROM pg_partition_tree(c.oid) AS t) AS part(relid)
          JOIN pg_class p ON p.oid = part.relid
          WHERE n.nspname = w.schema AND c.relname = w.name
            AND p.relfilenode <> 0 AND p.relfilenode IS DISTINCT FROM pg_relation_filenode(p.oid))
