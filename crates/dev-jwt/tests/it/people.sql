-- Three tenants, one of them suspended, and people with none, one and several memberships.
SET session_replication_role = replica;
INSERT INTO "Tenant" (id, slug, name, status, "updatedAt") VALUES
    ('t_a', 'acme', 'Acme', 'ACTIVE', now()),
    ('t_b', 'globex', 'Globex', 'ACTIVE', now()),
    ('t_s', 'sleepy', 'Sleepy', 'SUSPENDED', now());
INSERT INTO users (id, "tenantId", email, name, role, "sessionVersion", "updatedAt") VALUES
    ('u_staff', 't_a', 'staff@example.com', 'Staff', 'ADMIN', 3, now()),
    ('u_guest', 't_a', 'guest@example.com', 'Guest', 'CLIENT', 0, now()),
    ('u_none', 't_a', 'none@example.com', NULL, 'CLIENT', 0, now()),
    ('u_ghost', 't_a', 'ghost@example.com', NULL, 'CLIENT', 0, now()),
    ('u_twin_a', 't_a', 'twin@example.com', 'Twin of Acme', 'CLIENT', 0, now()),
    ('u_twin_b', 't_b', 'twin@example.com', 'Twin of Globex', 'CLIENT', 0, now()),
    ('u_homeless', NULL, 'homeless@example.com', NULL, 'CLIENT', 0, now()),
    ('u_capital', 't_b', 'Capital@Example.com', NULL, 'CLIENT', 0, now()),
    ('u_nodefault', 't_b', 'nodefault@example.com', NULL, 'CLIENT', 0, now());
INSERT INTO tenant_memberships (id, "userId", "tenantId", role, "isDefault") VALUES
    ('m_1', 'u_staff', 't_b', 'MEMBER', false),
    ('m_2', 'u_staff', 't_a', 'OWNER', true),
    ('m_3', 'u_staff', 't_s', 'MEMBER', false),
    ('m_4', 'u_guest', 't_s', 'MEMBER', true),
    ('m_5', 'u_guest', 't_b', 'MEMBER', false),
    ('m_6', 'u_twin_a', 't_a', 'MEMBER', true),
    ('m_7', 'u_twin_b', 't_b', 'MEMBER', true),
    ('m_8', 'u_homeless', 't_a', 'MEMBER', true),
    ('m_9', 'u_ghost', 't_gone', 'MEMBER', true),
    ('n_1', 'u_nodefault', 't_b', 'MEMBER', false),
    ('n_2', 'u_nodefault', 't_a', 'ADMIN', false);
