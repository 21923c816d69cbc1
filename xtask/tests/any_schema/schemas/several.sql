-- The tables stand in three schemas; the registry is in one of its own.
CREATE SCHEMA core;
CREATE SCHEMA billing;
CREATE SCHEMA crm;
CREATE TABLE core.companies (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE crm.contacts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid NOT NULL REFERENCES core.companies (id),
    email text NOT NULL
);
CREATE TABLE billing.invoices (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid REFERENCES core.companies (id),
    contact_id uuid NOT NULL REFERENCES crm.contacts (id),
    cents bigint NOT NULL
);
INSERT INTO core.companies (slug, name) SELECT 'company-' || n, 'Company ' || n FROM generate_series(1, 3) AS n;
INSERT INTO crm.contacts (company_id, email) SELECT c.id, n || '@' || c.slug FROM core.companies AS c, generate_series(1, 3) AS n;
INSERT INTO billing.invoices (company_id, contact_id, cents)
SELECT CASE WHEN n = 1 THEN c.company_id END, c.id, n FROM crm.contacts AS c, generate_series(1, 2) AS n;
GRANT USAGE ON SCHEMA core, billing, crm TO app_user;
GRANT SELECT ON ALL TABLES IN SCHEMA core TO app_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA billing, crm TO app_user;
