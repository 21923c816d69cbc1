-- The bookings of the plan, each pointing where its kind says.
INSERT INTO bookings (id, "clientId", "serviceId", "serviceRequestId", status, "scheduledAt", duration, "clientName", "clientEmail",
                      notes, "tenantId", "createdAt", "updatedAt")
SELECT pg_temp.cuid('booking', b.n),
       CASE WHEN b.kind = 'by_request' THEN r.client_id ELSE u.id END,
       CASE WHEN b.kind = 'by_request' THEN r.service_id ELSE s.id END,
       CASE WHEN b.kind = 'by_request' OR (b.kind = 'by_client' AND b.n % 5 = 0) THEN r.id END,
       (enum_range(NULL::"BookingStatus"))[1 + b.n % 5],
       timestamp '2025-01-01' + b.n % 500 * interval '1 day' + b.n % 20 * interval '30 minutes',
       30 + 15 * (b.n % 5)::int,
       'Client ' || u.n,
       'client' || u.n || '@example.com',
       repeat('Please call before you come. ', (b.n % 3)::int),
       CASE WHEN b.kind IN ('has_tenant', 'cross_tenant') THEN t.id WHEN b.kind = 'empty' THEN '' WHEN b.kind = 'ghost' THEN 'tenant_deleted_3' END,
       timestamp '2024-06-01' + b.n * interval '20 seconds',
       timestamp '2024-06-02' + b.n * interval '20 seconds'
FROM plan_booking AS b
JOIN plan_tenant AS t USING (tenant_no)
CROSS JOIN LATERAL (
    SELECT CASE WHEN b.kind IN ('unresolvable', 'by_service') THEN 0 ELSE b.tenant_no END AS client_no,
           CASE WHEN b.kind = 'unresolvable' THEN 0
                WHEN b.kind IN ('conflict', 'cross_tenant') THEN b.other_no
                WHEN b.kind = 'by_client' AND b.n % 3 = 0 THEN 0
                ELSE b.tenant_no END AS service_no) AS pick
JOIN pool_size AS zu ON zu.tenant_no = pick.client_no
JOIN pool_size AS zs ON zs.tenant_no = pick.service_no
JOIN plan_user AS u ON u.tenant_no = pick.client_no AND u.nth = 1 + floor(pg_temp.draw('client', b.n) * zu.users)::int
JOIN plan_service AS s ON s.tenant_no = pick.service_no AND s.nth = 1 + floor(pg_temp.draw('service', b.n) * zs.services)::int
LEFT JOIN (SELECT tenant_no, lost, count(*) AS requests FROM plan_request GROUP BY 1, 2) AS zr
  ON zr.tenant_no = b.tenant_no AND zr.lost = (b.kind = 'by_client')
LEFT JOIN plan_request AS r
  ON r.tenant_no = zr.tenant_no AND r.lost = zr.lost AND r.nth = 1 + floor(pg_temp.draw('request', b.n) * zr.requests)::int
ORDER BY b.n;
