-- The columns of table $2 in schema $1 that a statement may write, with their types; whether an INSERT may name one; whether a unique
-- key wants another value of a copy (not of a column that refers to another table, where any other value would be refused); and
-- whether a trigger of somebody's fires on the table.
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attidentity <> 'a',
       EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey))
           AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)),
       EXISTS (SELECT FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal)
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
