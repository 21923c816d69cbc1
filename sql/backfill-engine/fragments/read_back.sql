-- A fragment, the statement after a loop. It needs the variables `entries` and `changed` of `assign_batch.sql`.
-- Counts the rows that do not have the tenant that was just written: a trigger or a rule changed it, or deleted them.
-- It runs under the search path of the application.
SELECT pg_catalog.count(*) INTO batch.changed
FROM pg_catalog.unnest(batch.entries) AS e
CROSS JOIN LATERAL pg_catalog.unnest(e.row_keys) AS k (row_key)
LEFT JOIN ONLY :"target" AS t ON :key_is_named
WHERE (:kept) IS NOT TRUE
