-- A fragment of FROM. It needs rows `l` with what `from` reads, and adds the aliases of source and tenant.
-- One source of a row's tenant: the row it points to, and that row's tenant if there is such a tenant.
-- It runs under the search path of the application.
LEFT JOIN :"source" AS :"s" ON :"s".:"source_key" OPERATOR(pg_catalog.=) :from
LEFT JOIN :"tenants" AS :"e" ON :"e".:"tenant_key" OPERATOR(pg_catalog.=) :source_tenant AND :"e".:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) ''
