-- Deletes the rows $1.
-- It runs under the search path of the application.
DELETE FROM :only :"target" AS t WHERE :given
