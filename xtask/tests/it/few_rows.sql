-- A few rows with one defect of each kind, so that every number in a report can be checked by hand.
-- Rows of deleted tenants can only be planted while foreign keys are not fired.
SET session_replication_role = replica;
INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('t_a', 'a', 'A', now()), ('t_b', 'b', 'B', now());
INSERT INTO users (id, "tenantId", email, "updatedAt") VALUES
    ('u_a', 't_a', 'a@example.com', now()),
    ('u_b', 't_b', 'b@example.com', now()),
    ('u_ghost', 't_gone', 'ghost@example.com', now()),
    ('u_empty', '', 'empty@example.com', now());
INSERT INTO services (id, name, slug, description, "tenantId", "updatedAt") VALUES
    ('s_a', 'S', 'a', '', 't_a', now()),
    ('s_b', 'S', 'b', '', 't_b', now()),
    ('s_none', 'S', 'none', '', NULL, now());
INSERT INTO "ServiceRequest" (id, "clientId", "serviceId", title, "tenantId", "updatedAt") VALUES
    ('r_a', 'u_a', 's_a', 'R', 't_a', now());
INSERT INTO bookings (
    id, "clientId", "serviceId", "serviceRequestId", "tenantId",
    "scheduledAt", duration, "clientName", "clientEmail", "updatedAt"
)
SELECT id, client, service, request, tenant, now(), 30, '', '', now()
FROM (VALUES
    ('b_1', 'u_a', 's_a', NULL, 't_a'), -- in order
    ('b_2', 'u_a', 's_b', NULL, 't_a'), -- references another tenant's service
    ('b_3', 'u_a', 's_a', NULL, ''),
    ('b_4', 'u_a', 's_a', NULL, 't_gone'),
    ('b_5', 'u_a', 's_a', 'r_a', NULL), -- by the service request
    ('b_6', 'u_a', 's_none', NULL, NULL), -- by the client
    ('b_7', 'u_b', 's_b', NULL, NULL), -- by the client
    ('b_8', 'u_ghost', 's_b', NULL, NULL), -- by the service
    ('b_9', 'u_a', 's_b', NULL, NULL), -- a conflict
    ('b_10', 'u_empty', 's_none', NULL, NULL) -- unresolvable
) AS planted (id, client, service, request, tenant);
INSERT INTO audit_logs (id, action) VALUES ('l_1', 'platform.started');
