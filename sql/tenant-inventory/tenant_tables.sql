-- The tables $2 in the schemas $1, each with its tenant column $3: ordinary and partitioned ones, not those on other servers. $4 is the type of
-- a column that is to be added, and NULL for one that is there.
WITH tenant_column AS (
    SELECT c.oid AS relid, t.tenant_column, t.planned_type, a.*
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS t (schema, name, tenant_column, planned_type)
    JOIN pg_namespace AS s ON s.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = s.oid AND c.relname = t.name AND c.relkind IN ('r', 'p')
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = t.tenant_column AND NOT a.attisdropped
    WHERE a.attnum IS NOT NULL OR t.planned_type IS NOT NULL
)
SELECT s.nspname::text AS schema,
       c.relname::text AS name,
       c.relkind = 'p' AS partitioned,
       json_build_object(
           'name', t.tenant_column,
           'type', coalesce(format_type(t.atttypid, t.atttypmod), t.planned_type),
           'not_null', coalesce(t.attnotnull, false),
           -- Before 18 NOT NULL has no constraint of its own and is always proven. to_jsonb, as older servers lack conenforced.
           'never_null', coalesce(t.attnotnull, false) AND NOT EXISTS (
               SELECT FROM pg_constraint k
               WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[t.attnum]
                 AND NOT (k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true))),
           'default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
                       WHERE d.adrelid = c.oid AND d.adnum = t.attnum)) AS tenant_column,
       c.relrowsecurity AS rls_enabled,
       c.relforcerowsecurity AS rls_forced,
       coalesce((SELECT array_agg(a.attname::text ORDER BY k.position)
                 FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(attnum, position), pg_attribute a
                 WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum), '{}') AS key,
       coalesce((SELECT array_agg(format_type(a.atttypid, NULL) ORDER BY k.position)
                 FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(attnum, position), pg_attribute a
                 WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum), '{}') AS key_types,
       coalesce((SELECT t.attnum = ANY (p.partattrs::int2[]) FROM pg_partitioned_table p WHERE p.partrelid = c.oid), false) AS partitioned_by_tenant,
       coalesce((SELECT json_agg(json_build_object('schema', ls.nspname, 'name', l.relname, 'foreign', l.relkind = 'f')
                                 ORDER BY ls.nspname, l.relname)
                 FROM pg_partition_tree(c.oid) AS p JOIN pg_class l ON l.oid = p.relid JOIN pg_namespace ls ON ls.oid = l.relnamespace
                 WHERE c.relkind = 'p' AND p.isleaf AND l.relkind <> 'p'), '[]') AS leaves,
       c.reltuples AS estimated_rows,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indkey[0] = t.attnum AND i.indpred IS NULL) AS tenant_index,
       coalesce((SELECT json_agg(json_build_object(
                            'name', k.conname,
                            'columns', (SELECT json_agg(a.attname ORDER BY o) FROM unnest(k.conkey) WITH ORDINALITY AS u(n, o)
                                        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n),
                            'schema', fs.nspname,
                            'table', f.relname,
                            'references', (SELECT json_agg(a.attname ORDER BY o) FROM unnest(k.confkey) WITH ORDINALITY AS u(n, o)
                                           JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n),
                            'whole', k.confmatchtype = 'f' OR NOT EXISTS (
                                SELECT FROM unnest(k.conkey) AS u(n)
                                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n
                                LEFT JOIN pg_constraint never ON never.conrelid = k.conrelid AND never.contype = 'n' AND never.conkey = ARRAY[a.attnum]
                                WHERE u.n <> t.attnum AND NOT (a.attnotnull AND coalesce(never.convalidated, true))),
                            'validated', k.convalidated) ORDER BY k.conname)
                 FROM pg_constraint k
                 JOIN pg_class f ON f.oid = k.confrelid
                 JOIN pg_namespace fs ON fs.oid = f.relnamespace
                 WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0), '[]') AS foreign_keys
FROM tenant_column t
JOIN pg_class c ON c.oid = t.relid
JOIN pg_namespace s ON s.oid = c.relnamespace
ORDER BY 1, 2
