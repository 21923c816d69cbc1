-- Deletes the row $1.
DELETE FROM ONLY :"target" AS t WHERE t.:"key" = $1::text:::key_type
