-- The $2 statements of this database that took longest altogether, of the roles $1, or of every role where it is NULL. The view is :"view".
SELECT s.query AS text, s.calls::bigint AS calls, s.total_exec_time AS total_ms, s.total_exec_time / greatest(s.calls, 1) AS mean_ms,
       s.query = '<insufficient privilege>' AS hidden
FROM :"view" AS s
JOIN pg_database AS d ON d.oid = s.dbid AND d.datname = current_database()
JOIN pg_roles AS r ON r.oid = s.userid
WHERE $1::text[] IS NULL OR r.rolname = ANY ($1)
ORDER BY s.total_exec_time DESC
LIMIT $2
