-- Foreign keys that delete or change rows of a table when a row of another table is deleted, or when its key is changed. $1 are roles, of which
-- those are told that may change what the key references. `others` are the columns of the other table that the key does not reference and that
-- one of the roles may change. A partition has a key of its own for each of its table's.
SELECT k.conrelid::bigint AS child, k.confrelid::bigint AS parent,
       k.confdeltype IN ('c', 'n', 'd') AS on_delete, k.confupdtype IN ('c', 'n', 'd') AS on_update,
       k.confdeltype = 'c' AS deletes, k.conkey AS columns, k.confkey AS referenced, k.conparentid <> 0 AS of_partition,
       pg_get_constraintdef(k.oid) AS definition,
       ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute AS a
             WHERE a.attrelid = k.confrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnum <> ALL (k.confkey)
               AND EXISTS (SELECT FROM unnest($1::text[]) AS role (name) WHERE has_column_privilege(role.name, k.confrelid, a.attnum, 'UPDATE'))
             ORDER BY a.attnum) AS others,
       ARRAY(SELECT role.name FROM unnest($1::text[]) AS role (name)
             WHERE EXISTS (SELECT FROM unnest(k.confkey) AS of (number)
                           WHERE has_column_privilege(role.name, k.confrelid, of.number, 'UPDATE'))) AS updaters
FROM pg_constraint AS k
WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
ORDER BY 1, 2
