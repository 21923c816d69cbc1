-- A fragment, the statement inside a loop. It needs the loop variable `entry` of `take_back_batch.sql`: an entry of the journal.
-- Deletes those rows that an entry made and that are as they were made: a row that nobody has changed is of the transaction of its entry.
-- It runs under the search path of the application.
DELETE FROM :whole AS t
WHERE :key_is_one_of
  AND t.xmin OPERATOR(pg_catalog.=) entry.made_in
  AND t.:"column" OPERATOR(pg_catalog.=) entry.tenant_id:::type
  AND :unreferenced
