-- What a migration does for a role. It may run under any search path, in which somebody may have put functions.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
:role;
COMMIT;
