-- Gives all rows that may be updated to the other tenant.
UPDATE :"table" SET :"column" = :'tenant'
