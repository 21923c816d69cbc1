-- A few chat messages, one of each kind, so that every number in a report can be checked by hand.
INSERT INTO "Tenant" (id, slug, name, status, "updatedAt")
VALUES ('tenant_primary', 'acme', 'Acme', 'ACTIVE', now()), ('t_b', 'globex', 'Globex', 'ACTIVE', now()),
       ('t_off', 'initech', 'Initech', 'SUSPENDED', now());
INSERT INTO users (id, "tenantId", email, "updatedAt") VALUES
    ('u_one', 't_b', 'one@example.com', now()),
    ('u_both', 'tenant_primary', 'both@example.com', now()),
    ('u_left', 't_b', 'left@example.com', now());
INSERT INTO tenant_memberships (id, "userId", "tenantId") VALUES
    ('1', 'u_one', 't_b'), ('2', 'u_both', 'tenant_primary'), ('3', 'u_both', 't_b');
INSERT INTO chat_messages (id, "userId", "userName", role, room, text, "tenantId")
SELECT id, author, '', 'CLIENT', room, '', tenant
FROM (VALUES
    ('m_1', 'u_one', 'r', NULL), -- by the membership
    ('m_2', 'u_left', 'r', NULL), -- by the author
    ('m_3', 'u_both', 'r', 't_b'), -- evidence
    ('m_4', 'u_both', 'r', NULL), -- by the room
    ('m_5', 'u_both', 's', NULL), -- a conflict
    ('m_6', 'u_gone', 'r', NULL) -- unresolvable
) AS planted (id, author, room, tenant);
