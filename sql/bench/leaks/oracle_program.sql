-- Runs a program on the server.
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'
