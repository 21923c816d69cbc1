-- Forgets the statements that the driver prepared in this session for whoever had it before: behind a transaction pooler each client counts
-- from one, and the names meet. Those of other libraries are left alone.
-- It runs under the search path of the application.
DO $$
DECLARE
    v_name text;
BEGIN
    FOR v_name IN SELECT p.name FROM pg_catalog.pg_prepared_statements AS p WHERE pg_catalog.starts_with(p.name, 'sqlx_s_') LOOP
        EXECUTE pg_catalog.format('DEALLOCATE %I', v_name);
    END LOOP;
END
$$
