-- The tables of the applications that the tests are: under FORCE ROW LEVEL SECURITY, with the policy of a rollout. Run as the owner.
CREATE TABLE tenants (id text PRIMARY KEY);
CREATE TABLE projects (
    id serial PRIMARY KEY,
    tenant_id text NOT NULL DEFAULT NULLIF(current_setting('app.current_tenant_id', true), '') REFERENCES tenants,
    name text NOT NULL,
    UNIQUE (tenant_id, name)
);
CREATE TABLE tasks (
    id serial PRIMARY KEY,
    tenant_id text NOT NULL DEFAULT NULLIF(current_setting('app.current_tenant_id', true), '') REFERENCES tenants,
    -- Of one column: a row of another tenant is kept away by the policy alone.
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    title text NOT NULL
);
CREATE TABLE memberships (
    id serial PRIMARY KEY,
    tenant_id text NOT NULL DEFAULT NULLIF(current_setting('app.current_tenant_id', true), '') REFERENCES tenants,
    user_id text NOT NULL
);
INSERT INTO tenants SELECT 'tenant-' || n FROM generate_series(0, 9) AS n;
INSERT INTO projects (tenant_id, name) SELECT id, 'project ' || n FROM tenants, generate_series(1, 20) AS n ORDER BY n, id;
INSERT INTO tasks (tenant_id, project_id, title) SELECT tenant_id, id, 'task ' || n FROM projects, generate_series(1, 2) AS n;
INSERT INTO memberships (tenant_id, user_id) VALUES ('tenant-1', 'ada'), ('tenant-2', 'ada'), ('tenant-2', 'bob');

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects FORCE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY rls_tenant_isolation ON projects
    USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY rls_tenant_isolation ON tasks
    USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY rls_tenant_isolation ON memberships
    USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), ''));
-- As [auth.memberships] has it.
CREATE POLICY tenant_own_memberships ON memberships FOR SELECT TO app_user
    USING (user_id = NULLIF(current_setting('app.current_user_id', true), ''));
GRANT SELECT ON tenants, memberships TO app_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON projects, tasks TO app_user;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app_user;
