-- The columns of table $2 in schema $1 that a statement may write, with their types; whether an INSERT may name one; what a copy of a row gets
-- there for the sake of a unique key: a fresh value, or nothing in a column that refers to another table, where any other value would be
-- refused; and whether a trigger of somebody's fires on the table or on a partition of it. Run with an empty search_path.
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type_name, a.attidentity <> 'a' AS insertable,
       CASE WHEN NOT keyed.is_unique THEN 'same' WHEN NOT keyed.refers THEN 'fresh' WHEN a.attnotnull THEN 'same' ELSE 'nothing' END AS copied,
       EXISTS (SELECT FROM pg_trigger AS g
               WHERE NOT g.tgisinternal AND (g.tgrelid = c.oid OR g.tgrelid IN (SELECT p.relid FROM pg_partition_tree(c.oid) AS p))) AS has_triggers
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS is_unique,
           EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) AS refers
) AS keyed
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
