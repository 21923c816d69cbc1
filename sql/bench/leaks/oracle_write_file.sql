-- Writes to a file of the server.
COPY (SELECT 1) TO '/dev/null'
