-- Changes the rows $1 into what they are.
-- It runs under the search path of the application.
UPDATE :only :"target" AS t SET :"user" = t.:"user" WHERE :given
