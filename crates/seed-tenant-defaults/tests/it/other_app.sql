-- Another application: ids are UUIDs, the database fills some of them, and times have a zone.
CREATE TABLE "Tenant" (id uuid PRIMARY KEY, slug text NOT NULL UNIQUE, name text NOT NULL, status text NOT NULL);
INSERT INTO "Tenant" VALUES (gen_random_uuid(), 'acme', 'Acme', 'ACTIVE');
CREATE TABLE settings (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "tenantId" uuid NOT NULL UNIQUE REFERENCES "Tenant" (id),
    title varchar(20) NOT NULL, starts date, limits int[], upper_title text GENERATED ALWAYS AS (upper(title)) STORED,
    updated_at timestamptz NOT NULL);
CREATE POLICY rls_tenant_isolation ON settings USING ("tenantId"::text = NULLIF(current_setting('app.current_tenant_id', true), ''));
ALTER TABLE settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA public TO app_user;
GRANT SELECT, INSERT ON settings, "Tenant" TO app_user;
