-- A fragment, the statement inside a loop. It needs the loop variable `entry` of `take_back_batch.sql`: an entry of the journal.
-- Gives those rows of an entry that still have its tenant what they had before. An entry with the empty string gave its rows none.
-- It runs under the search path of the application.
UPDATE :whole AS t
SET :"column" = entry.before:::type
WHERE :key_is_one_of
  AND (t.:"column" OPERATOR(pg_catalog.=) entry.tenant_id:::type OR (entry.tenant_id OPERATOR(pg_catalog.=) '' AND t.:"column" IS NULL))
