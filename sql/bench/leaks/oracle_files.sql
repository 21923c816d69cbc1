-- Reads a file of the server.
SELECT length(pg_read_binary_file('PG_VERSION'))::text AS shown
