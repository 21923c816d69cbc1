-- Rights on the application's tables; for their owner. The maintenance role gets the least that a backfill needs: position, keys,
-- pointers and the tenant column to read, and only the tenant column to write. Safe to run twice. The schema public is open to everyone, and
-- before 15 not the owner's to grant.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
-- Who deletes a tenant, or changes its key, deletes or changes its rows in every table, and no policy is asked.
REVOKE UPDATE, DELETE ON "Tenant" FROM app_user;
GRANT UPDATE ("slug", "name", "status", "primaryDomain", "updatedAt") ON "Tenant" TO app_user;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app_user;
GRANT SELECT (id) ON "Tenant" TO tenant_maintenance;
DO $$
DECLARE
    v_table record;
BEGIN
    FOR v_table IN
        SELECT c.oid::regclass AS name, t.attname AS tenant_column,
               (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND (a.attname = t.attname OR a.attname = 'id'
                       OR EXISTS (SELECT FROM pg_constraint k
                                  WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)))) AS readable
        FROM pg_class c
        JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname IN ('tenantId', 'tenant_id') AND NOT t.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('GRANT SELECT (ctid, %s), UPDATE (%I) ON %s TO tenant_maintenance',
                       v_table.readable, v_table.tenant_column, v_table.name);
    END LOOP;
END
$$;
-- No foreign key tells these: the author, and the room, in which their other messages are evidence.
GRANT SELECT ("userId", "room") ON chat_messages TO tenant_maintenance;
