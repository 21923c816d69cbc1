-- The first table that the seed fills and this database lacks.
SELECT name
FROM unnest(ARRAY['Tenant', 'users', 'tenant_memberships', 'services', 'ServiceRequest', 'bookings', 'WorkOrder', 'invoices', 'attachments',
                  'expenses', 'ScheduledReminder', 'chat_messages', 'IdempotencyKey', 'service_views', 'booking_settings',
                  'organization_settings', 'security_settings', 'audit_logs', 'audit_events']) WITH ORDINALITY AS t(name, o)
WHERE to_regclass(format('public.%I', name)) IS NULL
ORDER BY o
LIMIT 1
