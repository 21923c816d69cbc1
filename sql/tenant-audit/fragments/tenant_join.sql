-- A fragment of FROM. It needs the rows `t` of a table with a tenant column, and adds the alias `tenant`.
-- The tenant of a row, if there is such a tenant. DISTINCT, as nothing but convention makes the key of a tenant table unique.
-- It runs under the search path of the application.
LEFT JOIN (SELECT DISTINCT :"key" AS id FROM :"tenants") AS tenant ON tenant.id:cast OPERATOR(pg_catalog.=) t.:"column":cast
