-- What a proposal is made of beside the inventory: of each table the only column of its primary key, the columns whose type is a domain or an enum,
-- and the policies with their conditions.
SELECT s.nspname::text AS schema,
       c.relname::text AS name,
       (SELECT a.attname::text
        FROM pg_index AS x
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
        WHERE x.indrelid = c.oid AND x.indisprimary AND x.indnkeyatts = 1) AS key,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'column', a.attname,
                            'base', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, -1) END,
                            'labels', (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
                                       FROM pg_enum AS e WHERE e.enumtypid = t.oid)))
                 FROM pg_attribute AS a
                 JOIN pg_type AS t ON t.oid = a.atttypid
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND t.typtype IN ('d', 'e')), '[]') AS types,
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
