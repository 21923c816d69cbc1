-- A fragment, the statement inside a loop. It needs the loop variable `of_tenant` of `assign_batch.sql`: one group of `resolve.sql`.
-- Gives the rows of one group, which are locked, their tenant, if they are still as they were.
-- It runs under the search path of the application.
UPDATE ONLY :"target" AS t
SET :"column" = :given
WHERE t.ctid OPERATOR(pg_catalog.=) ANY (of_tenant.tids) AND :still
