-- 300 tables of tenants, as many as a large application has, each with an index on its tenant.
DO $$
BEGIN
    FOR n IN 1..300 LOOP
        EXECUTE format('CREATE TABLE many_%s (id text PRIMARY KEY, "tenantId" text REFERENCES "Tenant" (id))', n);
        EXECUTE format('CREATE INDEX ON many_%s ("tenantId")', n);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON many_%s TO app_user', n);
    END LOOP;
END
$$;
