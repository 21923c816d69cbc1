CREATE TABLE setting (id text PRIMARY KEY, "tenantId" text NOT NULL UNIQUE REFERENCES "Tenant" (id), name text NOT NULL,
    seen int, "updatedAt" timestamp(3) NOT NULL);
CREATE TABLE limits (id uuid PRIMARY KEY, "tenantId" text NOT NULL UNIQUE, most int);
GRANT SELECT, INSERT ON setting, limits TO app_user;
CREATE POLICY rls_tenant_isolation ON setting USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY rls_tenant_isolation ON limits USING ("tenantId" = NULLIF((SELECT current_setting('app.current_tenant_id', true)), ''));
ALTER TABLE setting ENABLE ROW LEVEL SECURITY;
ALTER TABLE setting FORCE ROW LEVEL SECURITY;
ALTER TABLE limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE limits FORCE ROW LEVEL SECURITY;
-- What the statement sees of another table under a policy.
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := (SELECT count(*) FROM note); RETURN NEW; END $$;
CREATE TRIGGER look BEFORE INSERT ON setting FOR EACH ROW EXECUTE FUNCTION look();
