-- One tenant for every row, if it still exists.
-- It runs under the search path of the application.
LEFT JOIN :"tenants" AS :"e" ON :"e".:"tenant_key" OPERATOR(pg_catalog.=) :'tenant'::pg_catalog.text:::type
