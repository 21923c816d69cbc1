-- The row that a foreign key references.
LEFT JOIN :only :"target" AS :"r" ON :keys
