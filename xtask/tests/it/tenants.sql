-- Four tenants, two of them in use; one that is in use has a part of its settings.
INSERT INTO "Tenant" (id, slug, name, status, "updatedAt") VALUES
    ('t_acme', 'acme', 'Acme', 'ACTIVE', '2024-01-01'), ('t_globex', 'globex', 'Globex', 'ACTIVE', '2024-01-01'),
    ('t_initech', 'initech', 'Initech', 'SUSPENDED', '2024-01-01'), ('t_hooli', 'hooli', 'Hooli', 'ACTIVE', '2024-01-01');
INSERT INTO organization_settings (id, "tenantId", name, "updatedAt") VALUES ('o', 't_hooli', 'Hooli', '2024-01-01');
