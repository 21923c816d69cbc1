-- The row that a foreign key references.
-- It runs under the search path of the application.
LEFT JOIN :only :"target" AS :"r" ON :keys
