-- Strict policies on the tables of the defaults, for their owner too.
CREATE POLICY rls_tenant_isolation ON organization_settings
    USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY rls_tenant_isolation ON security_settings
    USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
ALTER TABLE organization_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE security_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
INSERT INTO "Tenant" (id, slug, name, status, "updatedAt") VALUES
    ('t_acme', 'acme', 'Acme', 'ACTIVE', '2024-01-01'), ('t_globex', 'globex', 'Globex', 'ACTIVE', '2024-01-01'),
    ('t_initech', 'initech', 'Initech', 'SUSPENDED', '2024-01-01'), ('t_hooli', 'hooli', 'Hooli', 'DECOMMISSIONED', '2024-01-01');
