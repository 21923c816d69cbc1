-- The foreign keys to the table $2 in schema $1, with what they do where a row there is deleted or its key changes. Those of partitions are
-- left to their parents.
SELECT s.nspname::text AS schema, c.relname::text AS name, k.conname::text AS key, k.confdeltype::text AS on_delete,
       k.confupdtype::text AS on_update
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS s ON s.oid = c.relnamespace
JOIN pg_class AS t ON t.oid = k.confrelid AND t.relname = $2
JOIN pg_namespace AS ts ON ts.oid = t.relnamespace AND ts.nspname = $1
WHERE k.contype = 'f' AND k.conparentid = 0
ORDER BY 1, 2, 3
