-- The strict policy and FORCE on the tables that a session is made of; for their owner.
CREATE POLICY rls_tenant_isolation ON users USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY rls_tenant_isolation ON tenant_memberships
    USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
ALTER TABLE tenant_memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_memberships FORCE ROW LEVEL SECURITY;
