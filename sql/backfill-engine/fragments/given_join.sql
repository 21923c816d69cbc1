-- A fragment of FROM. It needs any rows before it, and adds one alias, whose key is the tenant or NULL.
-- One tenant for every row, if it still exists.
-- It runs under the search path of the application.
LEFT JOIN :"tenants" AS :"e" ON :"e".:"tenant_key" OPERATOR(pg_catalog.=) :'tenant'::pg_catalog.text:::type
