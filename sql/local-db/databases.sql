-- The databases of the local server that hold somebody's data, the largest first.
SELECT d.datname::pg_catalog.text AS database, pg_catalog.pg_database_size(d.oid) AS bytes
FROM pg_catalog.pg_database d
WHERE NOT d.datistemplate AND d.datname OPERATOR(pg_catalog.<>) 'postgres'
ORDER BY 2 DESC, 1
