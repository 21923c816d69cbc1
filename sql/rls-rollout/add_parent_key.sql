-- A row and the row that it points to have one tenant, and none of the two can be given another one.
ALTER TABLE :"table" ADD CONSTRAINT :"name" FOREIGN KEY (:"column", :"link") REFERENCES :"parent" (:"parent_column", :"key") ON DELETE :on_delete NOT VALID
