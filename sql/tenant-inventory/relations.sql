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
), taken AS MATERIALIZED (
    -- Once for each schema: for each table it would take a second where there are a thousand.
    SELECT other.relnamespace, array_agg(other.relname::text) AS names
    FROM pg_class AS other
    WHERE other.relname LIKE '%\_idx%'
    GROUP BY other.relnamespace
),
tenants AS (
    SELECT tc.oid, ta.attnum AS key
    FROM pg_class AS tc
    JOIN pg_namespace AS tn ON tn.oid = tc.relnamespace
    JOIN pg_attribute AS ta ON ta.attrelid = tc.oid AND ta.attname = $6 AND NOT ta.attisdropped
    WHERE tn.nspname = $4 AND tc.relname = $5
),
-- Valid keys, pair by pair. A key of several columns counts only if no other column of it can be NULL: then the server would check nothing.
key_pair AS (
    SELECT k.conrelid, k.confrelid, pair.here, pair.there
    FROM pg_constraint AS k
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair (here, there)
    WHERE k.contype = 'f' AND k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
      AND (k.confmatchtype = 'f' OR NOT EXISTS (
          SELECT FROM unnest(k.conkey) AS other (number)
          JOIN pg_attribute AS o ON o.attrelid = k.conrelid AND o.attnum = other.number
          LEFT JOIN pg_constraint AS never ON never.conrelid = o.attrelid AND never.contype = 'n' AND never.conkey = ARRAY[o.attnum]
          WHERE other.number <> pair.here AND NOT (o.attnotnull AND coalesce(never.convalidated, true))))
),
-- Columns whose values are keys of the tenant table: by a key to it, or by one to a column of which that is known.
proven AS (
    SELECT p.conrelid AS oid, p.here AS number FROM key_pair AS p JOIN tenants AS t ON p.confrelid = t.oid AND p.there = t.key
    UNION
    SELECT p.conrelid, p.here FROM proven AS known JOIN key_pair AS p ON p.confrelid = known.oid AND p.there = known.number
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
       EXISTS (SELECT FROM proven WHERE proven.oid = c.oid AND proven.number = a.attnum) AS foreign_key_valid,
       ARRAY(SELECT k.conname::text FROM pg_constraint AS k WHERE k.conrelid = c.oid) AS constraints,
       row_security_active(c.oid) AS filtered,
       coalesce(taken.names, '{}') AS taken_names
FROM member AS m
JOIN pg_class AS c ON c.oid = m.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = m.tenant_column AND NOT a.attisdropped
LEFT JOIN taken ON taken.relnamespace = c.relnamespace
LEFT JOIN tenants ON true
WHERE a.attnum IS NOT NULL OR m.planned
ORDER BY m.position, m.depth DESC, c.relname
