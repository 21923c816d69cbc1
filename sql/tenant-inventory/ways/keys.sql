-- Foreign keys between two of the tables $2 in the schemas $1, with the tenant columns $3, through which a change of one row changes another:
-- the columns here and there by name, and whether the tenant column is part of the key on both sides. `kept_by` is a valid key that references the
-- same row together with its tenant, so that none of another tenant is referenced.
WITH target AS (
    SELECT c.oid, t.tenant_column
    FROM unnest($1::text[], $2::text[], $3::text[]) AS t (schema, name, tenant_column)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
)
SELECT k.conname::text AS name, quote_ident(k.conname) AS printed, k.conrelid::bigint AS child, k.confrelid::bigint AS parent,
       child.tenant_column AS child_tenant, parent.tenant_column AS parent_tenant,
       k.convalidated AS validated, k.confdeltype::text AS on_delete, k.confupdtype::text AS on_update,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, position)
             JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.position) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (number, position)
             JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.position) AS referenced,
       EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair (here, there)
               JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = pair.here AND a.attname = child.tenant_column
               JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = pair.there AND b.attname = parent.tenant_column) AS keeps_tenant,
       (SELECT min(o.conname)::text
        FROM pg_constraint AS o
        WHERE o.contype = 'f' AND o.conrelid = k.conrelid AND o.confrelid = k.confrelid AND o.convalidated
          AND EXISTS (SELECT FROM unnest(o.conkey, o.confkey) AS pair (here, there)
                      JOIN pg_attribute AS a ON a.attrelid = o.conrelid AND a.attnum = pair.here AND a.attname = child.tenant_column
                      JOIN pg_attribute AS b ON b.attrelid = o.confrelid AND b.attnum = pair.there AND b.attname = parent.tenant_column)
          AND NOT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair (here, there)
                          WHERE NOT EXISTS (SELECT FROM unnest(o.conkey, o.confkey) AS other (here, there)
                                            WHERE other.here = pair.here AND other.there = pair.there))) AS kept_by
FROM pg_constraint AS k
JOIN target AS child ON child.oid = k.conrelid
JOIN target AS parent ON parent.oid = k.confrelid
WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
ORDER BY 3, 1
