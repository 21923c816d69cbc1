-- Deletes each row that the policies for DELETE alone let through, until the first.
-- It runs under the search path of the application.
DELETE FROM :only :"target" WHERE :stop
