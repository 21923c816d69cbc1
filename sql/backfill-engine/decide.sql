-- Gives the rows with the keys $1, which are locked, the tenant $2, if they still have none.
-- It runs under the search path of the application.
UPDATE :whole AS t
SET :"column" = $2::pg_catalog.text:::type
WHERE :key_is_one_of AND t.:"column" IS NULL
