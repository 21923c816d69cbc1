-- The columns of the tables $2 in the schemas $1 that a statement may write, each with the position of its table in these arrays, with their
-- types; whether an INSERT may name one; what a copy of a row gets there for the sake of a unique key: a fresh value, or nothing in a column that
-- refers to another table, where any other value would be refused; and whether a trigger of somebody's fires on the table or on a partition of
-- it. Run with an empty search_path.
SELECT asked.position, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type_name, a.attidentity <> 'a' AS insertable,
       CASE WHEN NOT keyed.is_unique THEN 'same' WHEN NOT keyed.refers THEN 'fresh' WHEN a.attnotnull THEN 'same' ELSE 'nothing' END AS copied,
       EXISTS (SELECT FROM pg_trigger AS g
               WHERE NOT g.tgisinternal AND (g.tgrelid = c.oid OR g.tgrelid IN (SELECT p.relid FROM pg_partition_tree(c.oid) AS p))) AS has_triggers
FROM ROWS FROM (unnest($1::text[]), unnest($2::text[])) WITH ORDINALITY AS asked (schema_name, table_name, position)
JOIN pg_namespace AS n ON n.nspname = asked.schema_name
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = asked.table_name
JOIN pg_attribute AS a ON a.attrelid = c.oid
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS is_unique,
           EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) AS refers
) AS keyed
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY asked.position, a.attnum
