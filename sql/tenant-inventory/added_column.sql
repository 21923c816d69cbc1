-- What is there of the tenant column $3 of table $2 in schema $1, whose column $4 points to the key $8 of table $6 in schema $5, which has the
-- tenant column $7: the key that references both together, a unique index that it can rest on, and what the key of $4 alone does.
SELECT c.relkind = 'p' AS partitioned,
       p.relkind = 'p' AS parent_partitioned,
       pg_has_role(p.relowner, 'USAGE') AS may_alter_parent,
       pg_get_userbyid(p.relowner)::text AS parent_owner,
       row_security_active(p.oid) AS parent_filtered,
       current_setting('server_version_num')::int AS server_version,
       l.attnotnull AS link_not_null,
       (SELECT k.confdeltype::text FROM pg_constraint AS k
        WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid = p.oid AND k.conkey = ARRAY[l.attnum] AND k.confkey = ARRAY[pk.attnum]
        ORDER BY k.convalidated DESC, k.conname LIMIT 1) AS on_delete,
       pair.name AS constraint_name,
       coalesce(pair.convalidated, false) AS validated,
       (SELECT i.relname::text FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
        WHERE x.indrelid = p.oid AND x.indisunique AND x.indimmediate AND x.indpred IS NULL AND x.indisvalid AND x.indnkeyatts = 2
          AND pt.attnum IN (x.indkey[0], x.indkey[1]) AND pk.attnum IN (x.indkey[0], x.indkey[1])
        ORDER BY i.relname LIMIT 1) AS index_name,
       ARRAY(SELECT i.relname::text FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
             WHERE x.indrelid = p.oid AND NOT x.indisvalid) AS invalid_indexes,
       ARRAY(SELECT other.relname::text FROM pg_class AS other
             WHERE other.relnamespace = p.relnamespace AND other.relname LIKE '%\_key%') AS taken_names
FROM pg_namespace AS n
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $2
JOIN pg_attribute AS l ON l.attrelid = c.oid AND l.attname = $4 AND NOT l.attisdropped
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $3 AND NOT a.attisdropped
JOIN pg_namespace AS pn ON pn.nspname = $5
JOIN pg_class AS p ON p.relnamespace = pn.oid AND p.relname = $6
JOIN pg_attribute AS pk ON pk.attrelid = p.oid AND pk.attname = $8 AND NOT pk.attisdropped
LEFT JOIN pg_attribute AS pt ON pt.attrelid = p.oid AND pt.attname = $7 AND NOT pt.attisdropped
LEFT JOIN LATERAL (SELECT k.conname::text AS name, k.convalidated FROM pg_constraint AS k
                   WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid = p.oid
                     AND (k.conkey = ARRAY[a.attnum, l.attnum] AND k.confkey = ARRAY[pt.attnum, pk.attnum]
                          OR k.conkey = ARRAY[l.attnum, a.attnum] AND k.confkey = ARRAY[pk.attnum, pt.attnum])
                   ORDER BY k.convalidated DESC, k.conname LIMIT 1) AS pair ON true
WHERE n.nspname = $1
