-- Changes each row that the policies for UPDATE alone let through, until the first.
-- It runs under the search path of the application.
UPDATE :only :"target" SET :"column" = DEFAULT WHERE :stop
