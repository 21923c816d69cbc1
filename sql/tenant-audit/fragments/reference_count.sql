-- A fragment, an aggregate. It needs the rows `t` of a table, and the alias of a `reference_join.sql`.
-- Rows of one tenant that reference a row of another. NULL and '' name no tenant and are counted elsewhere.
-- It runs under the search path of the application.
pg_catalog.count(*) FILTER (WHERE t.:"column":cast OPERATOR(pg_catalog.<>) :"r".:"tenant":cast
                   AND t.:"column"::pg_catalog.text OPERATOR(pg_catalog.<>) '' AND :"r".:"tenant"::pg_catalog.text OPERATOR(pg_catalog.<>) '')
