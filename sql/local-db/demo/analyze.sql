-- Statistics of what was planted, and the visibility map, so that no autovacuum starts in the midst of a first backfill.
VACUUM (ANALYZE) public."Tenant", public.users, public.tenant_memberships, public.services, public."ServiceRequest",
    public.bookings, public."WorkOrder", public.invoices, public.attachments, public.expenses, public."ScheduledReminder",
    public.chat_messages, public."IdempotencyKey", public.service_views, public.booking_settings, public.organization_settings,
    public.security_settings, public.audit_logs, public.audit_events;
