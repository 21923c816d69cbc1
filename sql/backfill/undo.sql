-- Takes the tenant $2 away again from those of the rows $1 that still have it.
UPDATE ONLY :"target" AS t
SET :"column" = NULL
WHERE t.:"key" = ANY ($1::text[]:::key_type[]) AND t.:"column" = $2::text:::type
