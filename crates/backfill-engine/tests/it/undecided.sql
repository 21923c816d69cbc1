-- Tenants, and bookings that people must decide: b_1 to b_4 are conflicts, b_5 is unresolved. b_6 has a tenant.
INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('t_a', 'acme', 'A', now()), ('t_b', 'globex', 'B', now());
INSERT INTO users (id, "tenantId", email, "updatedAt") VALUES
    ('u_a', 't_a', 'a@example.com', now()), ('u_b', 't_b', 'b@example.com', now()), ('u_none', NULL, 'n@example.com', now());
INSERT INTO services (id, name, slug, description, "tenantId", "updatedAt") VALUES
    ('s_b', 'S', 'b', '', 't_b', now()), ('s_none', 'S', 'none', '', NULL, now());
INSERT INTO bookings (id, "clientId", "serviceId", "tenantId", "scheduledAt", duration, "clientName", "clientEmail", "updatedAt")
SELECT id, client, service, tenant, now(), 30, '', '', '2024-01-01'
FROM (VALUES
    ('b_1', 'u_a', 's_b', NULL), ('b_2', 'u_a', 's_b', NULL), ('b_3', 'u_a', 's_b', NULL), ('b_4', 'u_a', 's_b', NULL),
    ('b_5', 'u_none', 's_none', NULL), ('b_6', 'u_a', 's_none', 't_a')
) AS planted (id, client, service, tenant);
