-- Keys are short varchars, and every key below leads with the tenant: composite primary and foreign keys.
CREATE TABLE schools (code varchar(12) PRIMARY KEY, title varchar(80) NOT NULL);
CREATE TABLE pupils (
    school_code varchar(12) NOT NULL REFERENCES schools (code),
    pupil_no integer NOT NULL,
    name varchar(80) NOT NULL,
    PRIMARY KEY (school_code, pupil_no)
);
CREATE TABLE marks (
    school_code varchar(12) NOT NULL REFERENCES schools (code),
    pupil_no integer NOT NULL,
    subject varchar(40) NOT NULL,
    mark smallint NOT NULL,
    PRIMARY KEY (school_code, pupil_no, subject),
    FOREIGN KEY (school_code, pupil_no) REFERENCES pupils (school_code, pupil_no) ON DELETE CASCADE
);
INSERT INTO schools SELECT 'S' || n, 'School ' || n FROM generate_series(1, 3) AS n;
INSERT INTO pupils SELECT s.code, n, 'Pupil ' || n FROM schools AS s, generate_series(1, 4) AS n;
INSERT INTO marks SELECT p.school_code, p.pupil_no, subject, 2 FROM pupils AS p, unnest(ARRAY['maths', 'music']) AS subject;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
