-- The tables $2 in the schemas $1 with the tenant columns $3, and their partitions, leaves first: who owns them, what their tenant column
-- is, and what proves it. $4 and $5 name the tenant table, $6 its key. $7 says of which tables the column is only to be added.
WITH RECURSIVE member AS (
    SELECT t.position, c.oid, NULL::oid AS parent, 0 AS depth, t.tenant_column, t.planned
    FROM unnest($1::text[], $2::text[], $3::text[], $7::boolean[]) WITH ORDINALITY AS t (schema, name, tenant_column, planned, position)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
    UNION ALL
    SELECT m.position, i.inhrelid, i.inhparent, m.depth + 1, m.tenant_column, m.planned
    FROM member AS m
    JOIN pg_inherits AS i ON i.inhparent = m.oid
    JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
)
SELECT m.position,
       n.nspname::text AS schema,
       c.relname::text AS name,
       c.relkind::text AS relkind,
       (SELECT format('%s.%s', pn.nspname, p.relname) FROM pg_class AS p JOIN pg_namespace AS pn ON pn.oid = p.relnamespace WHERE p.oid = m.parent) AS parent,
       pg_get_userbyid(c.relowner)::text AS owner,
       pg_has_role(c.relowner, 'USAGE') AS may_alter,
       quote_ident(m.tenant_column) AS printed_column,
       -- Before 18 NOT NULL has no constraint of its own and is always proven. to_jsonb, as older servers lack conenforced.
       coalesce(a.attnotnull, false) AND NOT EXISTS (
           SELECT FROM pg_constraint AS k
           WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]
             AND NOT (k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true))) AS never_null,
       EXISTS (SELECT FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_am AS am ON am.oid = i.relam AND am.amname = 'btree'
               WHERE x.indrelid = c.oid AND x.indisvalid AND x.indkey[0] = a.attnum AND x.indpred IS NULL) AS tenant_index,
       (SELECT k.conname::text FROM pg_constraint AS k
        WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum] AND k.confrelid = tenants.oid
          AND k.confkey = ARRAY[tenants.key] AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
        ORDER BY k.convalidated DESC, k.conname LIMIT 1) AS foreign_key,
       EXISTS (SELECT FROM pg_constraint AS k
               WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum] AND k.confrelid = tenants.oid
                 AND k.confkey = ARRAY[tenants.key] AND k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)) AS foreign_key_valid,
       ARRAY(SELECT k.conname::text FROM pg_constraint AS k WHERE k.conrelid = c.oid) AS constraints,
       row_security_active(c.oid) AS filtered,
       ARRAY(SELECT other.relname::text FROM pg_class AS other
             WHERE other.relnamespace = c.relnamespace AND other.relname LIKE '%\_idx%') AS taken_names
FROM member AS m
JOIN pg_class AS c ON c.oid = m.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = m.tenant_column AND NOT a.attisdropped
LEFT JOIN (SELECT tc.oid, ta.attnum AS key FROM pg_class AS tc JOIN pg_namespace AS tn ON tn.oid = tc.relnamespace
           JOIN pg_attribute AS ta ON ta.attrelid = tc.oid AND ta.attname = $6 AND NOT ta.attisdropped
           WHERE tn.nspname = $4 AND tc.relname = $5) AS tenants ON true
WHERE a.attnum IS NOT NULL OR m.planned
ORDER BY m.position, m.depth DESC, c.relname
