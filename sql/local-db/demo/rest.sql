-- Idempotency keys, views of services, and the settings and audit trail of the tenants. Some tenants have no settings yet.
WITH made AS (
    INSERT INTO "IdempotencyKey" (key, "userId", "tenantId", "createdAt")
    SELECT 'key-' || n, id, CASE WHEN n % 40 = 20 AND pool > 0 THEN tenant_id END, timestamp '2024-06-01' + n * interval '1 minute'
    FROM plan_user
    WHERE n % 20 = 0
    ORDER BY n
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'IdempotencyKey', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

WITH made AS (
    INSERT INTO service_views (id, service_id, tenant_id, viewed_at)
    SELECT pg_temp.cuid('view', 4 * n + v), id, CASE WHEN n % 3 = 0 AND pool > 0 THEN tenant_id END, timestamp '2024-06-01' + n * interval '1 hour'
    FROM plan_service, generate_series(0, 3) AS v
    RETURNING tenant_id AS tenant
)
INSERT INTO planted_rows
SELECT 'service_views', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

INSERT INTO booking_settings (id, "tenantId", "createdAt", "updatedAt")
SELECT pg_temp.cuid('booking settings', pool), id, timestamp '2023-01-01', timestamp '2025-01-01' FROM plan_tenant WHERE pool % 2 = 0;

INSERT INTO organization_settings (id, "tenantId", name, "createdAt", "updatedAt")
SELECT pg_temp.cuid('organization', pool), id, name, timestamp '2023-01-01', timestamp '2025-01-01' FROM plan_tenant WHERE pool % 3 = 0;

INSERT INTO security_settings (id, "tenantId", "twoFactor", "createdAt", "updatedAt")
SELECT pg_temp.cuid('security', pool), id, '{"enabled": true}', timestamp '2023-01-01', timestamp '2025-01-01' FROM plan_tenant WHERE pool % 5 = 0;

-- Rows of the whole platform have no tenant on purpose.
WITH made AS (
    INSERT INTO audit_logs (id, action, "tenantId", "createdAt")
    SELECT pg_temp.cuid('log', n), 'settings.updated', CASE WHEN n % 4 > 0 THEN id END, timestamp '2024-01-01' + n * interval '1 hour'
    FROM (SELECT id, pool * 10 + v AS n FROM plan_tenant, generate_series(0, 9) AS v) AS t
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'audit_logs', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

WITH made AS (
    INSERT INTO audit_events (id, type, "tenantId", "createdAt")
    SELECT pg_temp.cuid('event', n), 'login', CASE WHEN n % 5 > 0 THEN id END, timestamp '2024-01-01' + n * interval '1 hour'
    FROM (SELECT id, pool * 10 + v AS n FROM plan_tenant, generate_series(0, 9) AS v) AS t
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'audit_events', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;
