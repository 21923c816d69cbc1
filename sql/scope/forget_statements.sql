-- Forgets the statements that the driver prepared in this session for whoever had it before: behind a transaction pooler each client counts
-- from one, and the names meet. Those of other libraries are left alone.
DO $$
DECLARE
    v_name text;
BEGIN
    FOR v_name IN SELECT name FROM pg_prepared_statements WHERE name LIKE 'sqlx\_s\_%' LOOP
        EXECUTE format('DEALLOCATE %I', v_name);
    END LOOP;
END
$$
