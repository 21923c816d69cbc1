-- The tables with a tenant column, and that column. This is the benchmark's own list, not the inventory's.
SELECT n.nspname::text AS schema, c.relname::text AS name, a.attname::text AS column
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'public'
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname IN ('tenantId', 'tenant_id') AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname
