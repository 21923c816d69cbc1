-- Changes the rows $1 into what they are: the tenant column, as a key that the server generates cannot be set.
-- It runs under the search path of the application.
UPDATE :only :"target" AS t SET :"column" = t.:"column" WHERE :given
