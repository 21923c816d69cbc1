-- $1 tenants with a user and a service each, and $2 bookings of theirs in turns: rows that nothing stands against.
WITH tenants AS (
    INSERT INTO "Tenant" (id, slug, name, "updatedAt")
    SELECT 'tenant_' || n, 'tenant-' || n, 'Tenant ' || n, now() FROM generate_series(0, $1 - 1) AS n
), people AS (
    INSERT INTO users (id, "tenantId", email, "updatedAt")
    SELECT 'user_' || n, 'tenant_' || n, n || '@tenant.example', now() FROM generate_series(0, $1 - 1) AS n
), offers AS (
    INSERT INTO services (id, name, slug, description, "tenantId", "updatedAt")
    SELECT 'service_' || n, 'Service', 'service', 'A service', 'tenant_' || n, now() FROM generate_series(0, $1 - 1) AS n
)
INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "tenantId", "createdAt", "updatedAt")
SELECT 'booking_' || n, 'user_' || n % $1, 'service_' || n % $1, '2026-01-01'::timestamp + n * interval '1 minute', 30, 'A client', 'client@tenant.example',
       'tenant_' || n % $1, '2025-01-01'::timestamp + n * interval '1 second', now()
FROM generate_series(0, $2 - 1) AS n
