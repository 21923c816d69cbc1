-- No table has the tenants; they live in another service, and rows hold their ids.
CREATE TABLE documents (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL, title text NOT NULL);
CREATE TABLE pages (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    document_id uuid NOT NULL REFERENCES documents (id)
);
INSERT INTO documents (tenant_id, title)
SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'Document ' || n FROM generate_series(1, 3) AS n;
INSERT INTO pages (tenant_id, document_id) SELECT d.tenant_id, d.id FROM documents AS d, generate_series(1, 2) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
