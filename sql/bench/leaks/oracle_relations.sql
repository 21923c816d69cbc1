-- What the oracle looks at: relations of all schemas but the server's own, each with a column that an unqualified UPDATE can empty, its tenant
-- column, and how many rows the tenant $1 has in it. The tenant table is left out, as are the tables that hold nobody's rows.
SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       (SELECT a.attname::text FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
          AND NOT a.attnotnull AND a.attname NOT IN ('tenantId', 'tenant_id', 'id')
          AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = c.oid AND a.attnum = ANY (k.conkey))
        ORDER BY a.attnum LIMIT 1) AS spare,
       (SELECT a.attname::text FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname IN ('tenantId', 'tenant_id') AND NOT a.attisdropped) AS tenant_column
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname NOT IN ('Tenant', 'currencies')
ORDER BY n.nspname, c.relname
