-- Changes the rows $1 into what they are: the tenant column, as a key that the server generates cannot be set.
UPDATE :only :"target" AS t SET :"column" = t.:"column" WHERE :given
