-- One tenant for every row, if it still exists.
LEFT JOIN :"tenants" AS :"e" ON :"e".:"tenant_key" = :'tenant'::text:::type
