-- Gives the rows with the keys $1, which are locked, the tenant $2, if they still have none.
UPDATE ONLY :"target" AS t
SET :"column" = $2::text:::type
WHERE t.:"key" = ANY ($1::text[]:::key_type[]) AND t.:"column" IS NULL
