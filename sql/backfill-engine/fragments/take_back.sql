-- A fragment, the statement inside a loop. It needs the loop variable `entry` of `take_back_batch.sql`: an entry of the journal.
-- Gives those rows of an entry that still have its tenant what they had before. An entry with the empty string gave its rows none. Within
-- a CASE no index on the tenant column serves, which the planner would take for rows without a tenant.
-- It runs under the search path of the application.
UPDATE :whole AS t
SET :"column" = entry.before:::type
WHERE :key_is_one_of
  AND CASE WHEN entry.tenant_id OPERATOR(pg_catalog.=) '' THEN t.:"column" IS NULL
           ELSE t.:"column" OPERATOR(pg_catalog.=) entry.tenant_id:::type END
