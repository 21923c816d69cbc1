-- A partitioned table with a row in each partition: what versions treat differently are its foreign keys.
CREATE TABLE visits (
    id text NOT NULL,
    "tenantId" text,
    day date NOT NULL,
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE visits_old PARTITION OF visits FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE visits_new PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON visits, visits_old, visits_new TO app_user;
INSERT INTO visits (id, "tenantId", day) VALUES ('v_a', 't_a', '2025-12-31'), ('v_b', 't_b', '2026-01-01');
