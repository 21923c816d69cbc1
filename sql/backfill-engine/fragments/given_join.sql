-- A fragment of FROM: it follows any rows, and gives one alias, whose key is the tenant or NULL.
-- One tenant for every row, if it still exists.
-- It runs under the search path of the application.
LEFT JOIN :"tenants" AS :"e" ON :"e".:"tenant_key" OPERATOR(pg_catalog.=) :'tenant'::pg_catalog.text:::type
