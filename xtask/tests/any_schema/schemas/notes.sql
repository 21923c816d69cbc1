-- Rows are deleted softly, a view shows those that are left, and tenants may be archived.
CREATE TABLE teams (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    subdomain text NOT NULL UNIQUE,
    display_name text NOT NULL,
    archived_at timestamptz
);
CREATE TABLE notes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    team_id uuid NOT NULL REFERENCES teams (id),
    title text NOT NULL,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX notes_title ON notes (team_id, title) WHERE deleted_at IS NULL;
CREATE VIEW active_notes WITH (security_invoker = true) AS SELECT id, title FROM notes WHERE deleted_at IS NULL;
INSERT INTO teams (subdomain, display_name) SELECT 'team-' || n, 'Team ' || n FROM generate_series(1, 3) AS n;
INSERT INTO notes (team_id, title, deleted_at)
SELECT t.id, 'Note ' || n, CASE WHEN n = 1 THEN now() END FROM teams AS t, generate_series(1, 4) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
