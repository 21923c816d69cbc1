-- The settings under strict policies, for their owner too, as an application has them after the rollout.
CREATE POLICY rls_tenant_isolation ON organization_settings
    USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY rls_tenant_isolation ON security_settings
    USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
ALTER TABLE organization_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE security_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
