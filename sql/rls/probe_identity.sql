-- Which database this is, of which server: its name, and what tells it from any other of the same name. A restored copy has the system
-- identifier and the number of its original, and another start.
SELECT current_database()::text, d.oid::bigint, to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
FROM pg_database AS d
WHERE d.datname = current_database()
