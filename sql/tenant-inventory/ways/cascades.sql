-- Foreign keys that delete or change rows of a table when a row of another table is deleted, or when its key is changed.
SELECT k.conrelid::bigint AS child, k.confrelid::bigint AS parent,
       k.confdeltype IN ('c', 'n', 'd') AS on_delete, k.confupdtype IN ('c', 'n', 'd') AS on_update
FROM pg_constraint AS k
WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
ORDER BY 1, 2
