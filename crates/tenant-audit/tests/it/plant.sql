-- Two tenants and bookings with every fault that an audit counts; foreign keys are kept from refusing them.
SET session_replication_role = replica;
INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('a', 'a', 'A', now()), ('b', 'b', 'B', now());
INSERT INTO users (id, "tenantId", email, "updatedAt")
VALUES ('ua', 'a', 'a@a', now()), ('ub', 'b', 'b@b', now()), ('un', NULL, 'n@n', now());
INSERT INTO services (id, name, slug, description, "tenantId", "updatedAt")
VALUES ('sa', 's', 's', 's', 'a', now()), ('sb', 's', 's', 's', 'b', now());
INSERT INTO bookings (id, "tenantId", "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "updatedAt")
SELECT id, tenant, client, service, now(), 30, 'n', 'e', now()
FROM (VALUES ('clean', 'a', 'ua', 'sa'),
             ('null', NULL, 'ua', 'sa'),
             ('null too', NULL, 'un', 'sb'),
             ('empty', '', 'ua', 'sa'),
             ('ghost, so its client and service are another tenant''s', 'gone', 'ua', 'sa'),
             ('crosses by client', 'a', 'ub', 'sa'),
             ('crosses by service', 'b', 'ub', 'sa'),
             ('client without a tenant', 'a', 'un', 'sa')) AS b(id, tenant, client, service);
INSERT INTO audit_logs (id, action) VALUES ('platform', 'boot');
RESET session_replication_role;
