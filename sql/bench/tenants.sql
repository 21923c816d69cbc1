-- $1 tenants without any settings.
INSERT INTO "Tenant" (id, slug, name, "updatedAt")
SELECT 'tenant_' || n, 'tenant-' || n, 'Tenant ' || n, timestamp '2024-01-01' FROM generate_series(1, $1) AS n
