-- Turns the policies off, as only the owner of a table may.
ALTER TABLE :"table" NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY
