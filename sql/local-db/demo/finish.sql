-- Makes the secondary indexes again, and marks the foreign keys to the tenant table NOT VALID where rows of no tenant that exists were
-- planted: as in a database whose keys came later than its rows.
DO $$
DECLARE
    v_index record;
    v_key record;
BEGIN
    FOR v_index IN SELECT * FROM dropped_index LOOP
        EXECUTE v_index.definition;
    END LOOP;
    FOR v_key IN
        SELECT k.conrelid::regclass AS table_name, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
        FROM pg_constraint AS k
        JOIN planted_rows AS p ON k.conrelid = format('%I', p.table_name)::regclass AND p.empty_string + p.ghost > 0
        WHERE k.contype = 'f' AND k.confrelid = '"Tenant"'::regclass AND k.convalidated
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', v_key.table_name, v_key.name);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', v_key.table_name, v_key.name, v_key.definition);
    END LOOP;
END
$$;
