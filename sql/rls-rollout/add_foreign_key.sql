-- Every tenant that a row names must exist; as the ORM makes it.
ALTER TABLE :"table" ADD CONSTRAINT :"name" FOREIGN KEY (:"column") REFERENCES :"tenants" (:"key") ON UPDATE CASCADE ON DELETE CASCADE :validity
