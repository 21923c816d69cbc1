-- Tenants, users, memberships, services and requests of the plan.
INSERT INTO "Tenant" (id, slug, name, status, "primaryDomain", "updatedAt")
SELECT id, slug, name,
       CASE WHEN tenant_no % 17 = 0 THEN 'DECOMMISSIONED' WHEN tenant_no % 11 = 0 THEN 'SUSPENDED' ELSE 'ACTIVE' END::"TenantStatus",
       slug || '.example.com', timestamp '2025-01-01'
FROM plan_tenant;

INSERT INTO users (id, "tenantId", email, name, role, "updatedAt")
SELECT id, tenant_id, 'user' || n || '@example.com',
       (ARRAY['Ada', 'Grace', 'Linus', 'Edgar', 'Barbara', 'Ken', 'Margaret'])[1 + n % 7] || ' ' || (ARRAY['Berg', 'Codd', 'Lee', 'Ortiz', 'Sato'])[1 + n % 5],
       (enum_range(NULL::"UserRole"))[1 + CASE WHEN n % 10 = 0 THEN n / 10 % 5 ELSE 0 END], timestamp '2025-01-01'
FROM plan_user;

-- Every tenth has a second membership, in the tenant beside its own.
INSERT INTO tenant_memberships (id, "userId", "tenantId", "isDefault")
SELECT pg_temp.cuid('membership', 2 * n), id, tenant_id, true
FROM plan_user
WHERE tenant_no > 0
UNION ALL
SELECT pg_temp.cuid('membership', 2 * u.n + 1), u.id, t.id, false
FROM plan_user AS u
JOIN plan_tenant AS t ON t.tenant_no = CASE WHEN u.tenant_no = 1 THEN 2 ELSE u.tenant_no - 1 END
WHERE u.tenant_no > 0 AND u.n % 10 = 0;

INSERT INTO services (id, name, slug, description, price, "tenantId", "updatedAt")
SELECT id, (ARRAY['Tax return', 'Bookkeeping', 'Payroll', 'Audit', 'Consultation'])[1 + n % 5], 'service-' || n, 'As agreed.', 40 + n % 200,
       tenant_id, timestamp '2025-01-01'
FROM plan_service;

INSERT INTO "ServiceRequest" (id, "clientId", "serviceId", title, "tenantId", "updatedAt")
SELECT id, client_id, service_id, 'Request ' || n, tenant_id, timestamp '2025-01-01'
FROM plan_request
ORDER BY n;
