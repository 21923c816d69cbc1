-- How the catalog prints what the policy of table $2 in schema $1 compares, whose column $3 points to the column $6 of table $5 in schema $4 with
-- the tenant column $7; which of these columns there the role $8 may not read; and about how many rows the largest tenant has there, by the
-- statistics, and which tenant that is. A table without statistics of that column counts as one tenant's; one that was never analyzed has no number.
SELECT quote_ident(c.relname) AS printed_child,
       quote_ident(l.attname) AS printed_link,
       format_type(l.atttypid, l.atttypmod) AS link_type,
       format('%I.%I', pn.nspname, p.relname) AS printed_parent,
       quote_ident(k.attname) AS printed_key,
       format_type(k.atttypid, k.atttypmod) AS key_type,
       quote_ident(t.attname) AS printed_tenant,
       ARRAY(SELECT a.attname::text
             FROM pg_roles AS r
             JOIN pg_attribute AS a ON a.attrelid = p.oid AND a.attnum IN (k.attnum, t.attnum)
             WHERE r.rolname = $8 AND NOT has_column_privilege(r.oid, p.oid, a.attnum, 'SELECT')
             ORDER BY a.attnum) AS unreadable,
       (SELECT CASE WHEN p.reltuples < 0 OR p.reltuples = 0 AND p.relpages = 0 THEN NULL
                    WHEN s.most_common_freqs IS NOT NULL THEN p.reltuples * s.most_common_freqs[1]
                    WHEN s.n_distinct > 0 THEN p.reltuples / s.n_distinct
                    WHEN s.n_distinct < 0 THEN -1 / s.n_distinct
                    ELSE p.reltuples END::float8
        FROM (SELECT) AS one
        LEFT JOIN pg_stats AS s ON s.schemaname = pn.nspname AND s.tablename = p.relname AND s.attname = t.attname
                               AND s.inherited = (p.relkind = 'p')) AS largest,
       (SELECT (s.most_common_vals::text::text[])[1]
        FROM pg_stats AS s
        WHERE s.schemaname = pn.nspname AND s.tablename = p.relname AND s.attname = t.attname
          AND s.inherited = (p.relkind = 'p')) AS largest_tenant
FROM pg_namespace AS n
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $2
JOIN pg_attribute AS l ON l.attrelid = c.oid AND l.attname = $3 AND NOT l.attisdropped
JOIN pg_namespace AS pn ON pn.nspname = $4
JOIN pg_class AS p ON p.relnamespace = pn.oid AND p.relname = $5
JOIN pg_attribute AS k ON k.attrelid = p.oid AND k.attname = $6 AND NOT k.attisdropped
JOIN pg_attribute AS t ON t.attrelid = p.oid AND t.attname = $7 AND NOT t.attisdropped
WHERE n.nspname = $1
