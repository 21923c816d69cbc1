-- Takes the tenant $2 away again from those of the rows $1 that still have it.
-- It runs under the search path of the application.
UPDATE :whole AS t
SET :"column" = NULL
WHERE :key_is_one_of AND t.:"column" OPERATOR(pg_catalog.=) $2::pg_catalog.text:::type
