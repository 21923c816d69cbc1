-- The database that leaks are planted in: three tenants, the third of which only has to be there, with rows in each kind of table; a partitioned
-- table; a table that is nobody's; and what an application has beside its tables. For the owner of the tables. What takes time is to try each
-- table, so tables that are like others are left out.
DROP TABLE tenant_memberships, "ServiceRequest", attachments, "ScheduledReminder", "IdempotencyKey", booking_settings, security_settings, audit_events
CASCADE;
INSERT INTO "Tenant" (id, slug, name, "updatedAt")
SELECT 't_' || t, 'slug_' || t, 'Tenant ' || t, now() FROM unnest(ARRAY['a', 'b', 'c']) AS t;

CREATE TEMPORARY TABLE planned AS
SELECT t.id AS tenant, n, t.id || '_' || n AS key FROM "Tenant" AS t, generate_series(1, 2) AS n;

INSERT INTO users (id, "tenantId", email, "updatedAt") SELECT 'user_' || key, tenant, key || '@example.com', now() FROM planned;
INSERT INTO services (id, name, slug, description, "tenantId", "updatedAt")
SELECT 'service_' || key, 'Service', 's' || n, 'of ' || tenant, tenant, now() FROM planned;
INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "tenantId", "updatedAt")
SELECT 'booking_' || key, 'user_' || key, 'service_' || key, now(), 30, 'of ' || tenant, key || '@example.com', tenant, now()
FROM planned;
INSERT INTO "WorkOrder" (id, "bookingId", title, "tenantId", "updatedAt")
SELECT 'order_' || key, 'booking_' || key, 'of ' || tenant, tenant, now() FROM planned;
INSERT INTO invoices (id, "bookingId", number, "tenantId", "updatedAt")
SELECT 'invoice_' || key, 'booking_' || key, 'no_' || key, tenant, now() FROM planned;
INSERT INTO expenses (id, "userId", vendor, "amountCents", "tenantId")
SELECT 'expense_' || key, 'user_' || key, 'of ' || tenant, 100, tenant FROM planned;
INSERT INTO chat_messages (id, "userId", "userName", role, room, text, "tenantId")
SELECT 'message_' || key, 'user_' || key, 'of ' || tenant, 'CLIENT', 'room', 'said in ' || tenant, tenant FROM planned;
INSERT INTO organization_settings (id, "tenantId", name, "updatedAt") SELECT 'org_' || tenant, tenant, 'of ' || tenant, now() FROM planned WHERE n = 1;
INSERT INTO audit_logs (id, action, "tenantId") SELECT 'log_' || key, 'of ' || tenant, tenant FROM planned;
INSERT INTO audit_logs (id, action) SELECT 'log_platform_' || n, 'of the platform' FROM generate_series(1, 2) AS n;
INSERT INTO service_views (id, service_id, tenant_id) SELECT 'view_' || key, 'service_' || key, tenant FROM planned;

CREATE TABLE visits (
    id text NOT NULL, "tenantId" text NOT NULL, at date NOT NULL, note text, PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO visits SELECT 'visit_' || key, tenant, make_date(2024 + n, 5, 5), 'of ' || tenant FROM planned;

CREATE TABLE currencies (code text PRIMARY KEY, name text NOT NULL);
INSERT INTO currencies VALUES ('USD', 'Dollar'), ('EUR', 'Euro'), ('JPY', 'Yen');
GRANT SELECT, INSERT, UPDATE, DELETE ON visits, visits_2025, visits_2026 TO app_user;
GRANT SELECT ON currencies TO app_user;

CREATE VIEW calendar AS SELECT id, "scheduledAt", duration FROM bookings;
CREATE FUNCTION own_bookings() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM public.bookings';
DROP TABLE planned
