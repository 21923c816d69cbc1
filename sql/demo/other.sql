-- The smaller tables: most rows lack their tenant, as in bookings.
INSERT INTO "WorkOrder" (id, "serviceRequestId", "clientId", "serviceId", title, "tenantId", "updatedAt")
SELECT pg_temp.cuid('work order', n), id, client_id, service_id, 'Work order ' || n, CASE WHEN n % 4 = 0 THEN tenant_id END, timestamp '2025-01-01'
FROM plan_request
WHERE n % 5 = 0;

INSERT INTO invoices (id, "bookingId", "clientId", number, "totalCents", "updatedAt")
SELECT pg_temp.cuid('invoice', b.n), pg_temp.cuid('booking', b.n), k."clientId", 'INV-' || b.n, 1000 + (b.n % 9000)::int, timestamp '2025-01-01'
FROM plan_booking AS b
JOIN bookings AS k ON k.id = pg_temp.cuid('booking', b.n)
WHERE b.n % 10 = 3;

INSERT INTO attachments (id, "serviceRequestId", "uploaderId", "fileName")
SELECT pg_temp.cuid('attachment', n), id, client_id, 'receipt-' || n || '.pdf' FROM plan_request WHERE n % 7 = 0;

INSERT INTO expenses (id, "userId", "attachmentId", "amountCents")
SELECT pg_temp.cuid('expense', n), client_id, pg_temp.cuid('attachment', n), 100 + (n % 5000)::int FROM plan_request WHERE n % 14 = 0;

INSERT INTO "ScheduledReminder" (id, "serviceRequestId", "scheduledAt")
SELECT pg_temp.cuid('reminder', n), id, timestamp '2025-06-01' + n % 90 * interval '1 day' FROM plan_request WHERE n % 9 = 0;

-- Authors: most of one tenant, every tenth with two memberships, some deleted long ago.
INSERT INTO chat_messages (id, "userId", "userName", role, room, text, "createdAt", "tenantId")
SELECT pg_temp.cuid('message', m.n),
       CASE WHEN m.n % 500 = 3 THEN 'deleted_' || m.n ELSE u.id END,
       'User ' || u.n, 'CLIENT', 'room-' || u.tenant_no || '-' || m.n % 4, 'Hello, message ' || m.n,
       timestamp '2025-01-01' + m.n * interval '1 minute', CASE WHEN m.n % 10 = 0 AND u.tenant_no > 0 THEN u.tenant_id END
FROM generate_series(1, greatest(current_setting('seed.bookings')::bigint / 5, 100)) AS m(n)
JOIN plan_user AS u ON u.n = 1 + floor(pg_temp.draw('author', m.n) * (SELECT count(*) FROM plan_user))::bigint;

INSERT INTO "IdempotencyKey" (key, "userId")
SELECT 'key-' || n, id FROM plan_user WHERE n % 25 = 0 ORDER BY n;

INSERT INTO service_views (id, service_id, tenant_id)
SELECT pg_temp.cuid('view', n), id, CASE WHEN n % 3 = 0 AND tenant_no > 0 THEN tenant_id END FROM plan_service;

INSERT INTO booking_settings (id, "tenantId")
SELECT pg_temp.cuid('settings', tenant_no), id FROM plan_tenant WHERE tenant_no % 2 = 0;

INSERT INTO organization_settings (id, "tenantId", name, "updatedAt")
SELECT pg_temp.cuid('organization', tenant_no), id, name, timestamp '2025-01-01' FROM plan_tenant WHERE tenant_no % 3 = 0;

-- Rows of the whole platform have no tenant on purpose.
INSERT INTO audit_logs (id, action, "tenantId")
SELECT pg_temp.cuid('log', tenant_no), 'settings.updated', CASE WHEN tenant_no % 4 > 0 THEN id END FROM plan_tenant;
INSERT INTO audit_events (id, type, "tenantId")
SELECT pg_temp.cuid('event', tenant_no), 'login', CASE WHEN tenant_no % 5 > 0 THEN id END FROM plan_tenant;
