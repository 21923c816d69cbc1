-- Unique indexes of table $2 in schema $1 that depend on column $3: what each compares and for which rows, the columns that this draws on, and whether two NULLs
-- are equal in it. Run with an empty search_path, so that each name carries its schema.
SELECT ic.relname::text AS name,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, false) FROM generate_series(1, i.indnkeyatts) AS k ORDER BY k) AS compares,
       pg_get_expr(i.indpred, i.indrelid) AS predicate,
       used.columns AS columns,
       -- From PostgreSQL 15 on.
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_equal
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid AND c.relname = $2
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = $1
JOIN pg_class AS ic ON ic.oid = i.indexrelid
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_attribute AS a
    WHERE a.attrelid = i.indrelid
      AND (a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
           OR (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
              AND EXISTS (SELECT FROM pg_depend AS d
                          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))
) AS used
WHERE i.indisunique AND i.indisready AND $3 = ANY (used.columns)
ORDER BY ic.relname
