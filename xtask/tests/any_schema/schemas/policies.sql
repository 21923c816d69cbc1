-- Another tool has policies of its own already, with its own variable and a cast that fails on ''.
CREATE TABLE orgs (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE projects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id uuid NOT NULL REFERENCES orgs (id),
    name text NOT NULL
);
CREATE TABLE tasks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id uuid NOT NULL REFERENCES orgs (id),
    project_id uuid NOT NULL REFERENCES projects (id),
    title text NOT NULL
);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY org_isolation ON projects
USING (org_id = current_setting('app.org', true)::uuid) WITH CHECK (org_id = current_setting('app.org', true)::uuid);
CREATE POLICY org_isolation ON tasks
USING (org_id = current_setting('app.org', true)::uuid) WITH CHECK (org_id = current_setting('app.org', true)::uuid);
INSERT INTO orgs (slug, name) SELECT 'org-' || n, 'Org ' || n FROM generate_series(1, 3) AS n;
INSERT INTO projects (org_id, name) SELECT o.id, 'Project ' || n FROM orgs AS o, generate_series(1, 2) AS n;
INSERT INTO tasks (org_id, project_id, title) SELECT p.org_id, p.id, 'Task ' || n FROM projects AS p, generate_series(1, 3) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
