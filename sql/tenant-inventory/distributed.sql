-- The tables that Citus has distributed over its nodes. It runs only where the extension is there, which makes this catalog.
SELECT s.nspname::text AS schema, c.relname::text AS name
FROM pg_catalog.pg_dist_partition AS d
JOIN pg_catalog.pg_class AS c ON c.oid = d.logicalrelid
JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
