-- Tenants, users, memberships, services and requests of the plan. SQL that inserts must fill "updatedAt", and fixed times make the same
-- data of the same seed.
INSERT INTO "Tenant" (id, slug, name, status, "primaryDomain", "createdAt", "updatedAt")
SELECT id, slug, name,
       CASE WHEN pool % 17 = 0 THEN 'DECOMMISSIONED' WHEN pool % 11 = 0 THEN 'SUSPENDED' ELSE 'ACTIVE' END::"TenantStatus",
       slug || '.example.com', timestamp '2022-01-01' + pool * interval '7 hours', timestamp '2025-01-01'
FROM plan_tenant;

WITH made AS (
    INSERT INTO users (id, "tenantId", email, name, role, "createdAt", "updatedAt")
    SELECT id, tenant_id, email, name,
           (enum_range(NULL::"UserRole"))[1 + CASE WHEN n % 10 = 0 THEN n / 10 % 5 ELSE 0 END],
           timestamp '2022-06-01' + n * interval '9 minutes', timestamp '2025-01-01'
    FROM plan_user
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'users', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

-- Everyone is a member of their own tenant, but for some who lost that membership; every tenth of a second one, too.
CREATE TEMP TABLE plan_membership ON COMMIT DROP AS
SELECT 2 * u.n AS n, u.id AS user_id, u.tenant_id, true AS is_default
FROM plan_user AS u
WHERE u.pool > 0 AND (u.n <= pg_temp.setting('tenants') OR u.n % 25 <> 7)
UNION ALL
SELECT 2 * u.n + 1, u.id, t.id, false
FROM plan_user AS u
JOIN plan_tenant AS t
  ON t.pool = (u.pool + pg_temp.pick('second tenant', u.n, pg_temp.setting('tenants') - 1)) % pg_temp.setting('tenants') + 1
WHERE u.pool > 0 AND u.n % 10 = 0;

INSERT INTO tenant_memberships (id, "userId", "tenantId", role, "isDefault", "createdAt")
SELECT pg_temp.cuid('membership', n), user_id, tenant_id, (enum_range(NULL::"TenantRole"))[CASE WHEN n % 20 = 0 THEN 2 ELSE 3 END],
       is_default, timestamp '2022-06-01' + n * interval '5 minutes'
FROM plan_membership;

WITH made AS (
    INSERT INTO services (id, name, slug, description, price, "tenantId", "createdAt", "updatedAt")
    SELECT id, name, lower(replace(name, ' ', '-')) || '-' || n, name || ' as agreed.', 40 + n % 200, tenant_id,
           timestamp '2022-03-01' + n * interval '11 minutes', timestamp '2025-01-01'
    FROM (SELECT *, (ARRAY['Tax return', 'Bookkeeping', 'Payroll', 'Audit', 'Consultation'])[1 + n % 5] AS name FROM plan_service) AS s
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'services', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;

WITH made AS (
    INSERT INTO "ServiceRequest" (id, "clientId", "serviceId", title, "tenantId", "createdAt", "updatedAt")
    SELECT pg_temp.cuid('request', r.n), u.id, s.id, 'Request ' || r.n, CASE r.pool WHEN -1 THEN 'tenant_deleted_1' ELSE t.id END,
           timestamp '2023-01-01' + r.n * interval '2 minutes', timestamp '2025-01-01'
    FROM plan_request AS r
    JOIN plan_user AS u ON u.position = r.client
    JOIN plan_service AS s ON s.position = r.service
    LEFT JOIN plan_tenant AS t ON t.pool = r.pool
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'ServiceRequest', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;
