-- Tables of an application that calls its tenants organizations, for `init`.
CREATE TABLE organizations (id uuid PRIMARY KEY, title text);
CREATE TABLE projects (id uuid PRIMARY KEY, organization_id uuid REFERENCES organizations (id));
CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    organization_id uuid REFERENCES organizations (id),
    project_id uuid NOT NULL REFERENCES projects (id)
);
CREATE TABLE countries (code text PRIMARY KEY);
