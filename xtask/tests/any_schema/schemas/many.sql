-- Many small tables.
CREATE TABLE organizations (id integer PRIMARY KEY, slug text NOT NULL UNIQUE, name text NOT NULL);
INSERT INTO organizations SELECT n, 'org-' || n, 'Org ' || n FROM generate_series(1, 2) AS n;
DO $$
BEGIN
    FOR n IN 1..300 LOOP
        EXECUTE format('CREATE TABLE thing_%s (id integer PRIMARY KEY, organization_id integer REFERENCES organizations (id), label text)', n);
        EXECUTE format('INSERT INTO thing_%s SELECT o.id, o.id, ''thing'' FROM organizations AS o', n);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
