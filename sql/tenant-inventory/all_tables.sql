-- Every table of the application's schemas: ordinary, partitioned and foreign ones, with their columns and foreign keys. Partitions are left to
-- their parents; tenant_ops is ours.
WITH member AS MATERIALIZED (
    SELECT d.objid, e.extname
    FROM pg_depend AS d
    JOIN pg_extension AS e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
)
SELECT s.nspname::text AS schema,
       c.relname::text AS name,
       pg_get_userbyid(c.relowner)::text AS owner,
       c.relkind = 'f' AS foreign_table,
       c.relrowsecurity AS rls_enabled,
       c.relforcerowsecurity AS rls_forced,
       m.extname::text AS extension,
       EXISTS (SELECT FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent
               WHERE p.relkind <> 'p' AND c.oid IN (i.inhrelid, i.inhparent)) AS inherits,
       (SELECT jsonb_build_object('schema', fs.nspname, 'name', f.relname)
        FROM pg_partition_tree(c.oid) AS p
        JOIN pg_class AS f ON f.oid = p.relid AND f.relkind = 'f'
        JOIN pg_namespace AS fs ON fs.oid = f.relnamespace
        WHERE c.relkind = 'p'
        ORDER BY fs.nspname, f.relname
        LIMIT 1) AS foreign_partition,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'name', a.attname,
                            'type', format_type(a.atttypid, a.atttypmod),
                            'base_type', format_type(coalesce((
                                WITH RECURSIVE under AS (
                                    SELECT y.typbasetype AS type FROM pg_type AS y WHERE y.oid = a.atttypid AND y.typtype = 'd'
                                    UNION ALL
                                    SELECT y.typbasetype FROM under JOIN pg_type AS y ON y.oid = under.type AND y.typtype = 'd')
                                SELECT under.type FROM under JOIN pg_type AS y ON y.oid = under.type WHERE y.typtype <> 'd'), a.atttypid), NULL),
                            'generated', a.attgenerated <> '',
                            'identity', a.attidentity <> '',
                            'unique', EXISTS (SELECT FROM pg_index AS x
                                              WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate
                                                AND x.indpred IS NULL AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum),
                            -- Before 18 NOT NULL has no constraint of its own and is always proven. to_jsonb, as older servers lack conenforced.
                            'never_null', a.attnotnull AND NOT EXISTS (
                                SELECT FROM pg_constraint AS k
                                WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]
                                  AND NOT (k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)))) ORDER BY a.attnum)
                 FROM pg_attribute AS a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'columns', (SELECT jsonb_agg(a.attname ORDER BY u.position)
                                        FROM unnest(k.conkey) WITH ORDINALITY AS u (number, position)
                                        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number),
                            'references', (SELECT jsonb_agg(a.attname ORDER BY u.position)
                                           FROM unnest(k.confkey) WITH ORDINALITY AS u (number, position)
                                           JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.number),
                            'valid', k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true),
                            'schema', fs.nspname,
                            'table', f.relname) ORDER BY k.conname)
                 FROM pg_constraint AS k
                 JOIN pg_class AS f ON f.oid = k.confrelid
                 JOIN pg_namespace AS fs ON fs.oid = f.relnamespace
                 WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0), '[]') AS foreign_keys
FROM pg_class AS c
JOIN pg_namespace AS s ON s.oid = c.relnamespace
LEFT JOIN member AS m ON m.objid = c.oid
WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND s.nspname <> 'tenant_ops' AND s.nspname !~ '^pg_' AND (c.oid >= 16384 OR s.nspname <> 'information_schema')
ORDER BY 1, 2
