-- Gives the rows $1 to the tenant $2, or to nobody.
-- It runs under the search path of the application.
UPDATE :only :"target" AS t SET :"column" = $2::pg_catalog.text:::type WHERE :given
