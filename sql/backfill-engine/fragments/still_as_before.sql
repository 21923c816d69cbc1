-- A fragment, a condition. It needs rows `t` and the loop variable `of_tenant` of `assign_batch.sql`: one group of `resolve.sql`.
-- A row still has what it had when its group was locked.
-- It runs under the search path of the application.
CASE WHEN of_tenant.before IS NULL THEN t.:"column" IS NULL ELSE t.:"column"::pg_catalog.text OPERATOR(pg_catalog.=) of_tenant.before END
