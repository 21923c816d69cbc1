-- Who is connected to the local server besides this session.
SELECT a.application_name AS application, a.usename::pg_catalog.text AS role, a.datname::pg_catalog.text AS database, pg_catalog.count(*) AS sessions
FROM pg_catalog.pg_stat_activity a
WHERE a.backend_type OPERATOR(pg_catalog.=) 'client backend' AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
GROUP BY 1, 2, 3
ORDER BY 4 DESC, 1, 2, 3
