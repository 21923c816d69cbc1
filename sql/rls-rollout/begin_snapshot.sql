-- Begins the script that makes definitions again as a snapshot has them.
BEGIN;
SET LOCAL row_security = off;
SET LOCAL search_path = pg_catalog, pg_temp;
