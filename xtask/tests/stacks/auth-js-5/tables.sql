-- The tables of the application, as `prisma migrate` makes them of schema.prisma, and two tenants with a row each. Run as the owner.
CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE users (
    id text PRIMARY KEY,
    name text,
    email text NOT NULL UNIQUE,
    "emailVerified" timestamp(3),
    image text,
    password text,
    role text NOT NULL DEFAULT 'CLIENT',
    "tenantId" text NOT NULL REFERENCES "Tenant" ON DELETE CASCADE,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE INDEX ON users ("tenantId");
CREATE TABLE accounts (
    id text PRIMARY KEY,
    "userId" text NOT NULL REFERENCES users ON DELETE CASCADE,
    type text NOT NULL,
    provider text NOT NULL,
    "providerAccountId" text NOT NULL,
    refresh_token text,
    access_token text,
    expires_at integer,
    token_type text,
    scope text,
    id_token text,
    session_state text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL,
    UNIQUE (provider, "providerAccountId")
);
CREATE TABLE sessions (
    id text PRIMARY KEY,
    "sessionToken" text NOT NULL UNIQUE,
    "userId" text NOT NULL REFERENCES users ON DELETE CASCADE,
    expires timestamp(3) NOT NULL,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE verification_tokens (
    identifier text NOT NULL,
    token text NOT NULL,
    expires timestamp(3) NOT NULL,
    PRIMARY KEY (identifier, token)
);
CREATE TABLE tenant_memberships (
    id text PRIMARY KEY,
    "userId" text NOT NULL REFERENCES users ON DELETE CASCADE,
    "tenantId" text NOT NULL REFERENCES "Tenant" ON DELETE CASCADE,
    role text NOT NULL DEFAULT 'CLIENT',
    "isDefault" boolean NOT NULL DEFAULT false,
    UNIQUE ("userId", "tenantId")
);
CREATE INDEX ON tenant_memberships ("tenantId");
CREATE TABLE projects (id text PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant" ON DELETE CASCADE);
CREATE INDEX ON projects ("tenantId");
INSERT INTO "Tenant" (id, slug, name) VALUES ('one', 'one', 'One'), ('two', 'two', 'Two');
INSERT INTO projects (id, "tenantId") VALUES ('project-one', 'one'), ('project-two', 'two');
GRANT SELECT ON "Tenant" TO app_user;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON users, accounts, sessions, verification_tokens, tenant_memberships, projects TO app_user;
