-- The roles that the login might become.
SELECT rolname::text AS role FROM pg_roles WHERE rolname NOT IN ('app_user', 'pg_database_owner') ORDER BY rolname
