-- Gives the rows $1, which are locked, the tenant $2, if they still have none.
UPDATE ONLY :"target" AS t
SET :"column" = $2::text:::type
WHERE t.ctid = ANY ($1) AND t.:"column" IS NULL
