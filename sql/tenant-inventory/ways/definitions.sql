-- The text of the views $1, of the rules $2 and of the triggers $3, and the server and options of the foreign tables among $1; of a view also what it
-- lets through to the table behind it (4 UPDATE, 8 INSERT, 16 DELETE; all of them for the views $5, which show tables of other servers and could only
-- be asked by calling their wrapper), and the first of the columns $4 that it shows. Rights are part of it, because a review holds for these rights.
SELECT 'relation' AS kind, c.oid::bigint AS id, concat_ws(' ', pg_get_viewdef(c.oid), c.reloptions::text, c.relacl::text) AS definition,
       CASE WHEN c.relkind <> 'v' THEN 0 WHEN c.oid = ANY ($5::bigint[]::oid[]) THEN 28 ELSE pg_relation_is_updatable(c.oid, true) END AS passes_on,
       (SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($4::text[])
        ORDER BY array_position($4::text[], a.attname::text) LIMIT 1) AS tenant_column
FROM pg_class AS c
WHERE c.oid = ANY ($1::bigint[]::oid[]) AND c.relkind IN ('v', 'm')
UNION ALL
SELECT 'relation', c.oid::bigint, concat_ws(' ', s.srvname, f.ftoptions::text, c.relacl::text), 0, NULL
FROM pg_class AS c JOIN pg_foreign_table AS f ON f.ftrelid = c.oid JOIN pg_foreign_server AS s ON s.oid = f.ftserver
WHERE c.oid = ANY ($1::bigint[]::oid[])
UNION ALL
SELECT 'rule', r.oid::bigint, pg_get_ruledef(r.oid), 0, NULL FROM pg_rewrite AS r WHERE r.oid = ANY ($2::bigint[]::oid[])
UNION ALL
SELECT 'trigger', t.oid::bigint, pg_get_triggerdef(t.oid), 0, NULL FROM pg_trigger AS t WHERE t.oid = ANY ($3::bigint[]::oid[])
ORDER BY 1, 2
