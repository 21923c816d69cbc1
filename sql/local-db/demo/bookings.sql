-- The bookings of the plan, each pointing where its kind says. They are written as they are read from the plan, which mixes the tenants: the
-- small tables are hashed, and nothing may sort.
SET LOCAL join_collapse_limit = 1;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_nestloop = off;
INSERT INTO bookings (id, "clientId", "serviceId", "serviceRequestId", status, "scheduledAt", duration, "clientName", "clientEmail",
                      notes, "tenantId", "createdAt", "updatedAt")
SELECT pg_temp.cuid('booking', b.n),
       u.id,
       s.id,
       CASE WHEN r.n IS NOT NULL THEN pg_temp.cuid('request', r.n) END,
       (enum_range(NULL::"BookingStatus"))[1 + pg_temp.pick('status', b.n, 5)],
       p.created_at + interval '1 day' * (1 + pg_temp.pick('days ahead', b.n, 60)) + interval '30 minutes' * pg_temp.pick('time', b.n, 20),
       30 + 15 * pg_temp.pick('duration', b.n, 5)::int,
       u.name,
       u.email,
       CASE WHEN b.n % 3 = 0 THEN 'Please call before you come.' END,
       CASE k.tenant WHEN 'own' THEN t.id WHEN 'gone' THEN 'tenant_deleted_1' WHEN '' THEN '' END,
       p.created_at,
       p.created_at + interval '1 hour'
FROM plan_booking AS b
JOIN plan_kind AS k USING (kind_no)
JOIN plan_tenant AS t ON t.pool = b.own
CROSS JOIN LATERAL (
    SELECT CASE k.client WHEN 'own' THEN b.own WHEN 'other' THEN b.other WHEN 'gone' THEN -1 ELSE 0 END AS client,
           CASE k.service WHEN 'own' THEN b.own WHEN 'other' THEN b.other WHEN 'gone' THEN -1 ELSE 0 END AS service,
           CASE k.request WHEN 'own' THEN b.own WHEN 'other' THEN b.other WHEN 'gone' THEN -1 WHEN 'none' THEN 0
                          WHEN 'lost' THEN pg_temp.setting('tenants')::int + b.own END AS request,
           timestamp(3) '2023-01-01' + interval '1 second' * (b.n * 63072000 / pg_temp.setting('bookings')) AS created_at
) AS p
JOIN plan_pool AS zc ON zc.pool = p.client
JOIN plan_pool AS zs ON zs.pool = p.service
LEFT JOIN plan_request_pool AS zr ON zr.pool = p.request
LEFT JOIN plan_request AS r ON r.position = zr.first_request + pg_temp.pick('booking request', b.n, zr.requests)
JOIN plan_user AS u
  ON u.position = CASE WHEN k.client_of_request AND r.n IS NOT NULL THEN r.client
                       ELSE zc.first_user + pg_temp.pick('booking client', b.n, zc.users) END
JOIN plan_service AS s
  ON s.position = CASE WHEN k.service_of_request AND r.n IS NOT NULL THEN r.service
                       ELSE zs.first_service + pg_temp.pick('booking service', b.n, zs.services) END;
SET LOCAL join_collapse_limit TO DEFAULT;
SET LOCAL enable_mergejoin TO DEFAULT;
SET LOCAL enable_nestloop TO DEFAULT;

INSERT INTO planted_rows
SELECT 'bookings', sum(rows), coalesce(sum(rows) FILTER (WHERE tenant IS NULL), 0), coalesce(sum(rows) FILTER (WHERE tenant = ''), 0),
       coalesce(sum(rows) FILTER (WHERE tenant = 'gone'), 0)
FROM plan_kind;
