-- Has the server call tenant_ops.born_closed() after each command that may make a table, or give a new one a column or a foreign key.
CREATE EVENT TRIGGER tenant_born_closed ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION tenant_ops.born_closed()
