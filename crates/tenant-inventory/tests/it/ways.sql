-- Two protected tables, one of them partitioned, and tables that belong to nobody.
CREATE TABLE "Tenant" (id text PRIMARY KEY);
INSERT INTO "Tenant" VALUES ('t_a'), ('t_b');
CREATE TABLE bookings (id text PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant", notes text);
INSERT INTO bookings VALUES ('a', 't_a', 'A'), ('b', 't_b', 'B');
CREATE TABLE visits (id int, "tenantId" text NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO visits VALUES (1, 't_a', '2025-05-05'), (2, 't_b', '2025-05-06');
CREATE TABLE countries (code text PRIMARY KEY);
CREATE TABLE cmd (t text);
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['bookings', 'visits', 'visits_2025'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY rls_tenant_isolation ON %I
            USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''))
            WITH CHECK ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), ''))$policy$, name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO app_user', name);
    END LOOP;
END $$;
GRANT SELECT ON countries, "Tenant" TO app_user;
GRANT SELECT, INSERT ON cmd TO app_user;
