-- Removes the rows of the other tenants, without a trigger or a foreign key having its say.
SET session_replication_role = replica;
DELETE FROM :"table" WHERE :"column" IS DISTINCT FROM :'tenant';
SET session_replication_role = DEFAULT
