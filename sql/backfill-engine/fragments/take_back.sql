-- A fragment, the statement inside a loop. It needs the loop variable `entry` of `take_back_batch.sql`: an entry of the journal.
-- Takes the tenant of an entry away again from those of its rows that still have it.
-- It runs under the search path of the application.
UPDATE :whole AS t
SET :"column" = NULL
WHERE :key_is_one_of AND t.:"column" OPERATOR(pg_catalog.=) entry.tenant_id:::type
