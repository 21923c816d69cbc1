-- Four tenants, two of them in use.
INSERT INTO "Tenant" (id, slug, name, status, "updatedAt") VALUES
    ('t_acme', 'acme', 'Acme', 'ACTIVE', '2024-01-01'), ('t_globex', 'globex', 'Globex', 'ACTIVE', '2024-01-01'),
    ('t_initech', 'initech', 'Initech', 'SUSPENDED', '2024-01-01'), ('t_hooli', 'hooli', 'Hooli', 'DECOMMISSIONED', '2024-01-01');
