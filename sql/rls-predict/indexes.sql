-- The key columns of the indexes of the tables $2 in the schemas $1: each as the server prints it, which of the index's expressions it is, and the
-- operators that the index can be searched with by its own type.
SELECT n.nspname::text AS schema,
       c.relname::text AS table_name,
       i.relname::text AS index_name,
       pg_get_indexdef(x.indexrelid, key.position::int, false) AS printed,
       CASE WHEN x.indkey[key.position - 1] = 0
            THEN (SELECT count(*) FROM generate_series(0, key.position - 2) AS before (at) WHERE x.indkey[before.at::int] = 0) END AS expression,
       x.indexprs::text AS expressions,
       format_type(oc.opcintype, NULL) AS input_type,
       (SELECT coalesce(json_agg(json_build_object(
                   'name', o.oprname,
                   'right', format_type(a.amoprighttype, NULL),
                   'same_type', a.amoprighttype = oc.opcintype,
                   'leakproof', p.proleakproof)), '[]')
        FROM pg_amop AS a
        JOIN pg_operator AS o ON o.oid = a.amopopr
        JOIN pg_proc AS p ON p.oid = o.oprcode
        WHERE a.amopfamily = oc.opcfamily AND a.amoppurpose = 's' AND a.amoplefttype = oc.opcintype) AS operators
FROM unnest($1::text[], $2::text[]) AS t (schema, name)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
JOIN pg_index AS x ON x.indrelid = c.oid AND x.indisvalid
JOIN pg_class AS i ON i.oid = x.indexrelid
CROSS JOIN LATERAL generate_series(1, x.indnkeyatts) AS key (position)
JOIN pg_opclass AS oc ON oc.oid = x.indclass[key.position - 1]
ORDER BY 1, 2, 3, key.position
