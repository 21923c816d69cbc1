-- The columns of table $2 in schema $1 that an insert may fill, with what it must know of each: name, type, whether a value is
-- needed, whether one comes by itself, whether it is the whole primary key, whether a unique key of it alone can decide a
-- conflict, whether an index leads with it, and whether the current role may insert into it.
SELECT a.attname::text AS name,
       format_type(a.atttypid, a.atttypmod) AS type_name,
       a.attnotnull AS not_null,
       a.atthasdef OR a.attidentity <> '' AS has_default,
       EXISTS (SELECT FROM pg_index i
               WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS is_key,
       EXISTS (SELECT FROM pg_index i
               WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
                 AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS is_unique,
       EXISTS (SELECT FROM pg_index i
               WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum) AS is_indexed,
       has_column_privilege(c.oid, a.attnum, 'INSERT') AS may_insert
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
ORDER BY a.attnum
