-- A fragment, a condition. It needs rows `t`, maybe of NULLs, and the entry `e` of `read_back.sql`.
-- A row has the tenant of an entry, or none where the entry has the empty string.
-- It runs under the search path of the application.
CASE WHEN e.tenant_id OPERATOR(pg_catalog.<>) '' THEN t.:"column"::pg_catalog.text OPERATOR(pg_catalog.=) e.tenant_id
     ELSE t.ctid IS NOT NULL AND t.:"column" IS NULL END
