-- Gives the row $1 to the tenant $2.
UPDATE ONLY :"target" AS t SET :"column" = $2::text:::type WHERE t.:"key" = $1::text:::key_type
