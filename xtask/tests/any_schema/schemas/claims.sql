-- Sessions carry the claims of a token as JSON, as behind PostgREST and Supabase: auth.jwt() reads them, and policies of several hands compare the
-- claim in several forms. Some fail where the setting is ''.
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO app_user;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE
RETURN nullif(current_setting('request.jwt.claims', true), '')::jsonb;
CREATE TABLE organizations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE boards (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id uuid NOT NULL REFERENCES organizations (id),
    name text NOT NULL
);
CREATE TABLE cards (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id uuid REFERENCES organizations (id),
    board_id uuid NOT NULL REFERENCES boards (id),
    title text NOT NULL
);
CREATE TABLE labels (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id uuid NOT NULL REFERENCES organizations (id),
    name text NOT NULL
);
CREATE INDEX ON cards (board_id);
ALTER TABLE boards ENABLE ROW LEVEL SECURITY;
ALTER TABLE cards ENABLE ROW LEVEL SECURITY;
ALTER TABLE labels ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON boards
USING (org_id = (current_setting('request.jwt.claims', true)::jsonb -> 'app_metadata' ->> 'org_id')::uuid);
CREATE POLICY tenant_isolation ON cards
USING (org_id = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org_id')::uuid));
CREATE POLICY tenant_isolation ON labels
USING (org_id::text = current_setting('request.jwt.claims', true)::json #>> '{app_metadata,org_id}')
WITH CHECK (org_id::text = current_setting('request.jwt.claims', true)::json #>> '{app_metadata,org_id}');
INSERT INTO organizations (slug, name) SELECT 'org-' || n, 'Org ' || n FROM generate_series(1, 3) AS n;
INSERT INTO boards (org_id, name) SELECT o.id, 'Board ' || n FROM organizations AS o, generate_series(1, 2) AS n;
INSERT INTO cards (org_id, board_id, title)
SELECT CASE WHEN n > 1 THEN b.org_id END, b.id, 'Card ' || n FROM boards AS b, generate_series(1, 3) AS n;
INSERT INTO labels (org_id, name) SELECT o.id, 'Label ' || n FROM organizations AS o, generate_series(1, 2) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
