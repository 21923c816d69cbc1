-- A table with a key of its own and one row for each tenant.
CREATE TABLE "Tenant" (id text PRIMARY KEY);
CREATE TABLE setting (id text PRIMARY KEY, "tenantId" text NOT NULL UNIQUE REFERENCES "Tenant" (id), name text NOT NULL,
    seen int, "updatedAt" timestamp(3) NOT NULL);
GRANT SELECT, INSERT ON setting TO app_user;
