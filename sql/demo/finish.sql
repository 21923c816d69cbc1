-- Makes the indexes again, and marks the foreign keys to the tenant table NOT VALID where rows of deleted tenants were planted: as in a
-- database whose keys came later than its rows.
SET LOCAL maintenance_work_mem = '256MB';
DO $$
DECLARE
    v_index record;
    v_table text;
BEGIN
    FOR v_index IN SELECT * FROM dropped_index LOOP
        EXECUTE v_index.definition;
    END LOOP;
    FOREACH v_table IN ARRAY ARRAY['users', 'services', 'bookings'] LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', v_table, v_table || '_tenantId_fkey');
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY ("tenantId") REFERENCES "Tenant" (id)'
                       ' ON DELETE CASCADE ON UPDATE CASCADE NOT VALID', v_table, v_table || '_tenantId_fkey');
    END LOOP;
END
$$;
