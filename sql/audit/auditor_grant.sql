-- The columns that an audit reads of a table: keys and tenant, nothing that anyone wrote.
GRANT USAGE ON SCHEMA :"schema" TO :"role";
GRANT SELECT (:columns) ON :"table" TO :"role";
