-- Changes the row $1 into what it is: the tenant column, as a key that the server generates cannot be set.
UPDATE ONLY :"target" AS t SET :"column" = t.:"column" WHERE t.:"key" = $1::text:::key_type
