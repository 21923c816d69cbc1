-- A fragment, a condition. It needs rows `t` with a tenant column.
-- The tenant of a row does not exist. The empty string is nobody's.
-- It runs under the search path of the application.
(t.:"column" IS NOT NULL AND NOT EXISTS (
    SELECT FROM :"tenants" AS q
    WHERE q.:"tenant_key":cast OPERATOR(pg_catalog.=) t.:"column":cast AND q.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) ''))
