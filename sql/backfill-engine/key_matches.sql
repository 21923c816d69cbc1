-- The different values in up to $1 rows of a column, of rows that are wanted: how many they are, and how many of them are keys of each other table.
-- It runs under the search path of the application.
WITH few AS MATERIALIZED (
    SELECT DISTINCT value
    FROM (SELECT t.:"column" AS value FROM ONLY :"target" AS t WHERE t.:"column" IS NOT NULL AND :wanted LIMIT $1) AS sample
)
SELECT (SELECT pg_catalog.count(*) FROM few) AS different_values, ARRAY[:matches] AS key_matches
