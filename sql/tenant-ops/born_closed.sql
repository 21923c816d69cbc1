-- Closes what a command of the application has just made: switches row level security on for each new table with a tenant column, or with a
-- foreign key to the tenant table, so that it shows no row to anybody but its owner until a rollout gives it policies.
-- What a tenant column is stands in the comment of the function, as tenancy.toml had it when that was made: only a superuser may give a function a
-- setting of ours, and hosts let others make event triggers.
-- SECURITY INVOKER: it does nothing that the role which made the table could not do. It lets no command fail, and warns instead.
CREATE OR REPLACE FUNCTION tenant_ops.born_closed() RETURNS event_trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_rules jsonb;
    v_table record;
BEGIN
    SELECT d.description INTO v_rules
    FROM pg_event_trigger AS e
    JOIN pg_description AS d ON d.objoid = e.evtfoid AND d.classoid = 'pg_proc'::regclass AND d.objsubid = 0
    WHERE e.evtname = 'tenant_born_closed';
    IF v_rules IS NULL THEN
        RAISE WARNING 'new tables stay open: the comment of tenant_ops.born_closed(), which says what a tenant column is, is gone';
        RETURN;
    END IF;
    FOR v_table IN
        WITH made AS (
            SELECT d.objid AS oid, bool_or(d.in_extension) AS in_extension, bool_or(d.command_tag <> 'ALTER TABLE') AS is_new
            FROM pg_event_trigger_ddl_commands() AS d
            WHERE d.classid = 'pg_class'::regclass
              AND d.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
            GROUP BY d.objid
        )
        SELECT c.oid, n.nspname, c.relname, made.is_new,
               EXISTS (SELECT FROM pg_attribute AS a
                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                         AND CASE WHEN own.name IS NULL THEN v_rules -> 'columns' ? a.attname::text ELSE a.attname = own.name END) AS has_column,
               NOT made.in_extension
               AND EXISTS (SELECT FROM pg_constraint AS k
                           JOIN pg_class AS r ON r.oid = k.confrelid
                           JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
                           WHERE k.conrelid = c.oid AND k.contype = 'f'
                             AND rn.nspname = v_rules -> 'registry' ->> 0 AND r.relname = v_rules -> 'registry' ->> 1) AS has_key
        FROM made
        JOIN pg_class AS c ON c.oid = made.oid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN LATERAL (SELECT t ->> 2 AS name FROM jsonb_array_elements(v_rules -> 'own') AS t
                           WHERE t ->> 0 = n.nspname AND t ->> 1 = c.relname LIMIT 1) AS own ON true
        WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT c.relrowsecurity
          AND n.nspname NOT IN ('tenant_ops', 'information_schema') AND n.nspname !~ '^pg_'
          AND NOT (n.nspname = v_rules -> 'registry' ->> 0 AND c.relname = v_rules -> 'registry' ->> 1)
          AND NOT EXISTS (SELECT FROM jsonb_array_elements(v_rules -> 'exempt') AS t
                          WHERE t ->> 0 = n.nspname AND t ->> 1 = c.relname)
          -- What a table gets later in its first transaction belongs to it from the beginning.
          AND (made.is_new OR c.oid::text = ANY (string_to_array(current_setting('tenant_ops.born', true), ' ')))
    LOOP
        IF v_table.is_new AND NOT (v_table.has_column OR v_table.has_key) THEN
            PERFORM set_config('tenant_ops.born', concat_ws(' ', current_setting('tenant_ops.born', true), v_table.oid), true);
        END IF;
        CONTINUE WHEN NOT (v_table.has_column OR v_table.has_key);
        BEGIN
            -- Other event triggers see this statement as they see those of the application, whose path they may rely on.
            PERFORM set_config('search_path', (SELECT reset_val FROM pg_settings WHERE name = 'search_path'), true);
            EXECUTE pg_catalog.format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', v_table.nspname, v_table.relname);
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            RAISE NOTICE 'row level security is on for %.%, which shows no row until a rollout gives it policies',
                v_table.nspname, v_table.relname;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'row level security could not be switched on for %.%: %', v_table.nspname, v_table.relname, SQLERRM;
        END;
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'row level security could not be switched on for new tables: %', SQLERRM;
END
$$
