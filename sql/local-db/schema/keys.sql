-- Primary keys, unique keys and foreign keys, named as the ORM names them. Safe to run twice.
DO $$
DECLARE
    v_key record;
BEGIN
    FOR v_key IN
        SELECT k.*, k.tbl || '_' || k.suffix AS name
        FROM (
            SELECT tbl, 'pkey' AS suffix, 'PRIMARY KEY (id)' AS definition, 1 AS step
            FROM unnest(ARRAY['Tenant', 'users', 'tenant_memberships', 'services', 'ServiceRequest', 'bookings', 'WorkOrder',
                              'invoices', 'attachments', 'expenses', 'ScheduledReminder', 'chat_messages', 'booking_settings',
                              'IdempotencyKey', 'organization_settings', 'security_settings', 'audit_logs', 'audit_events',
                              'service_views']) AS tbl
            UNION ALL
            SELECT tbl, replace(replace(columns, '"', ''), ', ', '_') || '_key', format('UNIQUE (%s)', columns), 2
            FROM (VALUES ('Tenant', '"slug"'), ('Tenant', '"primaryDomain"'), ('users', '"tenantId", "email"'),
                         ('tenant_memberships', '"userId", "tenantId"'), ('services', '"tenantId", "slug"'),
                         ('invoices', '"number"'), ('booking_settings', '"tenantId"'), ('IdempotencyKey', '"tenantId", "key"'),
                         ('organization_settings', '"tenantId"'), ('security_settings', '"tenantId"')) AS u(tbl, columns)
            UNION ALL
            SELECT tbl, col || '_fkey', format('FOREIGN KEY (%I) REFERENCES %I (id) ON DELETE %s ON UPDATE CASCADE', col, target, action), 3
            FROM (VALUES ('tenant_memberships', 'userId', 'users', 'CASCADE'),
                         ('ServiceRequest', 'clientId', 'users', 'CASCADE'), ('ServiceRequest', 'serviceId', 'services', 'CASCADE'),
                         ('bookings', 'clientId', 'users', 'CASCADE'), ('bookings', 'serviceId', 'services', 'CASCADE'),
                         ('bookings', 'serviceRequestId', 'ServiceRequest', 'SET NULL'),
                         ('WorkOrder', 'serviceRequestId', 'ServiceRequest', 'SET NULL'), ('WorkOrder', 'bookingId', 'bookings', 'SET NULL'),
                         ('WorkOrder', 'clientId', 'users', 'SET NULL'), ('WorkOrder', 'serviceId', 'services', 'SET NULL'),
                         ('invoices', 'bookingId', 'bookings', 'SET NULL'), ('invoices', 'clientId', 'users', 'SET NULL'),
                         ('attachments', 'serviceRequestId', 'ServiceRequest', 'SET NULL'), ('attachments', 'uploaderId', 'users', 'SET NULL'),
                         ('expenses', 'userId', 'users', 'CASCADE'), ('expenses', 'attachmentId', 'attachments', 'SET NULL'),
                         ('ScheduledReminder', 'serviceRequestId', 'ServiceRequest', 'CASCADE'),
                         ('IdempotencyKey', 'userId', 'users', 'SET NULL'), ('service_views', 'service_id', 'services', 'CASCADE'),
                         ('audit_logs', 'tenantId', 'Tenant', 'SET NULL'), ('audit_events', 'tenantId', 'Tenant', 'SET NULL'),
                         ('service_views', 'tenant_id', 'Tenant', 'CASCADE')) AS f(tbl, col, target, action)
            UNION ALL
            SELECT tbl, 'tenantId_fkey', 'FOREIGN KEY ("tenantId") REFERENCES "Tenant" (id) ON DELETE CASCADE ON UPDATE CASCADE', 3
            FROM unnest(ARRAY['users', 'tenant_memberships', 'services', 'ServiceRequest', 'bookings', 'WorkOrder', 'invoices',
                              'attachments', 'expenses', 'ScheduledReminder', 'chat_messages', 'booking_settings', 'IdempotencyKey',
                              'organization_settings', 'security_settings']) AS tbl
        ) AS k
        ORDER BY k.step
    LOOP
        IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = format('%I', v_key.tbl)::regclass AND conname = v_key.name) THEN
            EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I %s', v_key.tbl, v_key.name, v_key.definition);
        END IF;
    END LOOP;
END
$$;
