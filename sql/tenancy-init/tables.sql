-- The tables of the application's schemas with what a proposal is made of: columns with their place in the primary key, whether one alone is unique
-- and the labels of an enum; and foreign keys with both sides.
SELECT s.nspname::text AS schema,
       c.relname::text AS name,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'name', a.attname,
                            'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), -1),
                            'not_null', a.attnotnull,
                            'unique', EXISTS (SELECT FROM pg_index AS x
                                              WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL
                                                AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum),
                            'key', EXISTS (SELECT FROM pg_index AS x
                                           WHERE x.indrelid = c.oid AND x.indisprimary AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum),
                            'labels', (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
                                       FROM pg_enum AS e WHERE e.enumtypid = t.oid)) ORDER BY a.attnum)
                 FROM pg_attribute AS a
                 JOIN pg_type AS t ON t.oid = a.atttypid
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'column', (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = k.conkey[1]),
                            'schema', fs.nspname,
                            'table', f.relname) ORDER BY k.conname)
                 FROM pg_constraint AS k
                 JOIN pg_class AS f ON f.oid = k.confrelid
                 JOIN pg_namespace AS fs ON fs.oid = f.relnamespace
                 WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0 AND cardinality(k.conkey) = 1), '[]') AS foreign_keys,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'name', p.polname,
                            'expressions', array_remove(ARRAY[pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)], NULL))
                            ORDER BY p.polname)
                 FROM pg_policy AS p
                 WHERE p.polrelid = c.oid), '[]') AS policies
FROM pg_class AS c
JOIN pg_namespace AS s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND s.nspname NOT IN ('information_schema', 'tenant_ops') AND s.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
ORDER BY 1, 2
