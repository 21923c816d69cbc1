-- As many tables of tenants as the setting bench.tables says, each with an index on its tenant and a row of two tenants.
DO $$
BEGIN
    FOR n IN 1..current_setting('bench.tables')::int LOOP
        EXECUTE format('CREATE TABLE many_%s (id text PRIMARY KEY, "tenantId" text REFERENCES "Tenant" (id))', n);
        EXECUTE format('CREATE INDEX ON many_%s ("tenantId")', n);
        EXECUTE format('INSERT INTO many_%s SELECT id, id FROM "Tenant" ORDER BY id LIMIT 2', n);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON many_%s TO app_user', n);
    END LOOP;
END
$$;
