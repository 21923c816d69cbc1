-- Gives the rows of one group, which are locked, their tenant, if they still have none.
-- It runs under the search path of the application.
UPDATE ONLY :"target" AS t
SET :"column" = of_tenant.tenant:::type
WHERE t.ctid OPERATOR(pg_catalog.=) ANY (of_tenant.tids) AND t.:"column" IS NULL
