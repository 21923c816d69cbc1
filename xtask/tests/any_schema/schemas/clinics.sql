-- Keys are uuids, and the registry is called organizations. A visit without one belongs to its patient's.
CREATE TABLE organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    slug text NOT NULL UNIQUE,
    is_active boolean NOT NULL DEFAULT true
);
CREATE TABLE patients (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    full_name text NOT NULL
);
CREATE TABLE visits (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
    patient_id uuid NOT NULL REFERENCES patients (id),
    seen_on date NOT NULL DEFAULT current_date
);
CREATE INDEX ON visits (patient_id);
CREATE TABLE medicines (code text PRIMARY KEY, label text NOT NULL);
INSERT INTO organizations (name, slug) SELECT 'Clinic ' || n, 'clinic-' || n FROM generate_series(1, 3) AS n;
INSERT INTO patients (organization_id, full_name)
SELECT o.id, 'Patient ' || n FROM organizations AS o, generate_series(1, 4) AS n;
INSERT INTO visits (organization_id, patient_id)
SELECT CASE WHEN n = 1 THEN p.organization_id END, p.id FROM patients AS p, generate_series(1, 3) AS n;
INSERT INTO medicines VALUES ('asp', 'Aspirin');
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
REVOKE DELETE ON organizations FROM app_user;
