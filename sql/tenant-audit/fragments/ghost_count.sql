-- A fragment, an aggregate. It needs the rows `t` of a table, and the alias `tenant` of `tenant_join.sql`.
-- Rows whose tenant the tenant table does not have; '' is counted as empty.
-- It runs under the search path of the application.
pg_catalog.count(*) FILTER (WHERE tenant.id IS NULL AND t.:"column"::pg_catalog.text OPERATOR(pg_catalog.<>) '')
