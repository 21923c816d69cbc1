-- A fragment: the transaction of one step in a migration. It needs `:quote`, a dollar quote that stands in none of the texts, and what it
-- `:says` where it does nothing.
-- It does nothing where `rls rollout` has worked, which does this with its journal.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL lock_timeout = :'lock_timeout';
SET LOCAL row_security = off;
DO :quote
DECLARE
    is_rolled_out bool := false;
BEGIN
    IF to_regclass('tenant_ops.rollout_step') IS NOT NULL THEN
        EXECUTE 'SELECT EXISTS (SELECT FROM tenant_ops.rollout_step WHERE undone_by IS NULL)' INTO is_rolled_out;
    END IF;
    IF is_rolled_out THEN
        :says
        RETURN;
    END IF;
:unless:statements
END
:quote;
COMMIT;
