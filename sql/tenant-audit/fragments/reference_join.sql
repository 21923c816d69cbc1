-- A fragment of FROM. It needs the rows `t` of a table with a foreign key, and adds one alias.
-- The row that a foreign key references.
-- It runs under the search path of the application.
LEFT JOIN :only :"target" AS :"r" ON :keys
