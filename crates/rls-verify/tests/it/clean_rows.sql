INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES ('t_a', 'acme', 'Acme', now()), ('t_b', 'globex', 'Globex', now());
INSERT INTO users (id, "tenantId", email, "updatedAt") VALUES ('u_a', 't_a', 'a@acme.example', now()), ('u_b', 't_b', 'b@globex.example', now());
INSERT INTO services (id, name, slug, description, "tenantId", "updatedAt") VALUES ('s_a', 'A', 'a', 'a', 't_a', now()), ('s_b', 'B', 'b', 'b', 't_b', now());
INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "tenantId", "updatedAt")
VALUES ('b_a', 'u_a', 's_a', now(), 30, 'A', 'a@acme.example', 't_a', now()), ('b_b', 'u_b', 's_b', now(), 30, 'B', 'b@globex.example', 't_b', now());
INSERT INTO audit_logs (id, action, "tenantId") VALUES ('l_a', 'x', 't_a'), ('l_p', 'platform', NULL);
