-- A fragment, an expression. It needs the values `few` of `key_matches.sql`.
-- How many of these values are keys of another table.
-- It runs under the search path of the application.
(SELECT pg_catalog.count(*) FROM few WHERE EXISTS (SELECT FROM :"other" AS o WHERE o.:"key" OPERATOR(pg_catalog.=) :value))
