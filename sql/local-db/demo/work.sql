-- What follows from requests and bookings: work orders, invoices, attachments, expenses, reminders. A few have their tenant, most not yet.
WITH made AS (
    INSERT INTO "WorkOrder" (id, "serviceRequestId", "clientId", "serviceId", title, "tenantId", "createdAt", "updatedAt")
    SELECT pg_temp.cuid('work order', r.n), pg_temp.cuid('request', r.n), u.id, s.id, 'Work order ' || r.n,
           CASE WHEN r.n % 4 = 0 THEN t.id END, timestamp '2023-01-02' + r.n * interval '2 minutes', timestamp '2025-01-01'
    FROM plan_request AS r
    JOIN plan_user AS u ON u.position = r.client
    JOIN plan_service AS s ON s.position = r.service
    LEFT JOIN plan_tenant AS t ON t.pool = r.pool
    WHERE r.n % 10 < 2
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'WorkOrder', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

WITH made AS (
    INSERT INTO invoices (id, "bookingId", "clientId", number, "totalCents", "tenantId", "createdAt", "updatedAt")
    SELECT pg_temp.cuid('invoice', p.n), b.id, b."clientId", 'INV-' || lpad(p.n::text, 8, '0'), 4000 + 50 * pg_temp.pick('total', p.n, 400)::int,
           CASE WHEN p.n % 20 = 3 AND k.kind = 'has_tenant' THEN b."tenantId" END, b."createdAt" + interval '1 day', timestamp '2025-01-01'
    FROM (SELECT n, kind_no, pg_temp.cuid('booking', n) AS id FROM plan_booking WHERE n % 10 = 3) AS p
    JOIN plan_kind AS k USING (kind_no)
    JOIN bookings AS b USING (id)
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'invoices', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

WITH made AS (
    INSERT INTO attachments (id, "serviceRequestId", "uploaderId", "fileName", "tenantId", "createdAt")
    SELECT pg_temp.cuid('attachment', r.n), pg_temp.cuid('request', r.n), u.id, 'receipt-' || r.n || '.pdf',
           CASE WHEN r.n % 4 = 0 THEN t.id END, timestamp '2023-01-03' + r.n * interval '2 minutes'
    FROM plan_request AS r
    JOIN plan_user AS u ON u.position = r.client
    LEFT JOIN plan_tenant AS t ON t.pool = r.pool
    WHERE r.n % 14 < 2
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'attachments', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

WITH made AS (
    INSERT INTO expenses (id, "userId", "attachmentId", vendor, "amountCents", "tenantId", "createdAt")
    SELECT pg_temp.cuid('expense', r.n), u.id, pg_temp.cuid('attachment', r.n), (ARRAY['Stationery', 'Travel', 'Software'])[1 + r.n % 3],
           100 + (r.n % 5000)::int, NULL, timestamp '2023-01-04' + r.n * interval '2 minutes'
    FROM plan_request AS r
    JOIN plan_user AS u ON u.position = r.client
    WHERE r.n % 14 = 0
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'expenses', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

WITH made AS (
    INSERT INTO "ScheduledReminder" (id, "serviceRequestId", channel, "scheduledAt", "tenantId", "createdAt")
    SELECT pg_temp.cuid('reminder', n), pg_temp.cuid('request', n), 'EMAIL', timestamp '2025-06-01' + n % 90 * interval '1 day', NULL,
           timestamp '2023-01-05' + n * interval '2 minutes'
    FROM plan_request
    WHERE n % 9 = 0
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'ScheduledReminder', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;
