-- Tries to write to every table of the database and to define things, and fails with a list of all that was not refused.
DO $$
DECLARE
    v_table record;
    v_try text;
    v_tries text[] := ARRAY[
        'CREATE TABLE public.ours ()', 'CREATE SCHEMA ours', 'CREATE FUNCTION public.ours() RETURNS int LANGUAGE sql AS ''SELECT 1''',
        'CREATE VIEW public.ours AS SELECT 1', 'CREATE ROLE ours', 'CREATE EXTENSION pgcrypto',
        'ALTER ROLE app_user BYPASSRLS', 'ALTER ROLE app_user SET app.current_tenant_id = ''t_a''', 'GRANT app_owner TO app_user',
        'ALTER TABLE bookings NO FORCE ROW LEVEL SECURITY', 'ALTER TABLE bookings DISABLE ROW LEVEL SECURITY', 'DROP TABLE bookings',
        'CREATE POLICY ours ON bookings USING (true)', 'DROP POLICY rls_tenant_isolation ON bookings',
        'CREATE TRIGGER ours BEFORE INSERT ON bookings EXECUTE FUNCTION suppress_redundant_updates_trigger()',
        'CREATE INDEX ours ON bookings (id)', 'COMMENT ON TABLE bookings IS ''ours''', 'LOCK TABLE bookings',
        'SET ROLE app_owner', 'SET ROLE tenant_maintenance', 'SET ROLE postgres', 'SET session_replication_role = replica',
        'COPY bookings FROM PROGRAM ''true''', 'SELECT pg_catalog.pg_read_file(''postgresql.conf'')',
        'SELECT pg_catalog.pg_reload_conf()', 'TRUNCATE bookings'
    ];
    v_done text[] := '{}';
BEGIN
    FOR v_table IN
        SELECT c.oid::regclass::text AS name,
               (SELECT quote_ident(a.attname) FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum LIMIT 1) AS some_column
        FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    LOOP
        v_tries := v_tries || format('INSERT INTO %s DEFAULT VALUES', v_table.name)
                           || format('UPDATE %s SET %s = DEFAULT WHERE false', v_table.name, v_table.some_column)
                           || format('DELETE FROM %s WHERE false', v_table.name);
    END LOOP;
    FOREACH v_try IN ARRAY v_tries LOOP
        BEGIN
            EXECUTE v_try;
            v_done := v_done || v_try;
        EXCEPTION
            WHEN insufficient_privilege THEN NULL;
            WHEN OTHERS THEN v_done := v_done || (v_try || ': ' || SQLERRM);
        END;
    END LOOP;
    IF cardinality(v_tries) < 80 THEN
        RAISE EXCEPTION 'only % attempts were made', cardinality(v_tries);
    END IF;
    IF v_done <> '{}' THEN
        RAISE EXCEPTION 'not refused: %', array_to_string(v_done, '; ');
    END IF;
END
$$;
