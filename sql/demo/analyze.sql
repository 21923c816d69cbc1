-- Statistics of what was planted, and the visibility map, so that no autovacuum starts in the midst of a first backfill.
VACUUM (ANALYZE) "Tenant", users, tenant_memberships, services, "ServiceRequest", bookings, "WorkOrder", invoices, attachments, expenses,
    "ScheduledReminder", chat_messages, "IdempotencyKey", service_views, booking_settings, organization_settings, security_settings,
    audit_logs, audit_events
