-- A table of tenants, :"table", whose key has the type :type of the tenant columns.
CREATE TABLE :"table" (id :type PRIMARY KEY, slug text NOT NULL UNIQUE, name text NOT NULL)
