-- Begins the transaction of a step, in a script for psql.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL lock_timeout = :'lock_timeout';
SET LOCAL row_security = off;
