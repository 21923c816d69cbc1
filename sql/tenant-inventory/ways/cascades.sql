-- Foreign keys that delete or change rows of a table when a row of another table is deleted.
SELECT k.conrelid::bigint AS child, k.confrelid::bigint AS parent
FROM pg_constraint AS k
WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd')
ORDER BY 1, 2
