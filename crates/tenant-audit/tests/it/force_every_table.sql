-- Every tenant table under FORCE, with no policy but the one that lets tenant_maintenance read.
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN
        SELECT attrelid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attname IN ('tenantId', 'tenant_id') AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY tenant_maintenance_read ON %s FOR SELECT TO tenant_maintenance '
                       'USING (current_user = ''tenant_maintenance'')', v_table);
    END LOOP;
END
$$;
