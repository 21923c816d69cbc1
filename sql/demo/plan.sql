-- Temporary tables with what is going to be planted: which tenant each user, service, request and booking truly belongs to. Reads the
-- settings seed.tenants, seed.bookings and seed.seed. Everything is drawn from md5: the same on every server and platform.
CREATE FUNCTION pg_temp.draw(kind text, n bigint) RETURNS float8 LANGUAGE sql STABLE AS $$
    SELECT ('x' || substr(md5(current_setting('seed.seed') || kind || n), 1, 8))::bit(32)::bigint / 4294967296.0
$$;
-- As long as a cuid, and in random order like one.
CREATE FUNCTION pg_temp.cuid(kind text, n bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'c' || substr(md5(kind || current_setting('seed.seed') || n), 1, 24)
$$;
-- The k-th tenant gets about 1/k of the rows.
CREATE FUNCTION pg_temp.zipf(kind text, n bigint) RETURNS int LANGUAGE sql STABLE AS $$
    SELECT least(current_setting('seed.tenants')::int,
                 floor(exp(pg_temp.draw(kind, n) * ln(current_setting('seed.tenants')::int + 1)))::int)
$$;

CREATE TEMP TABLE plan_tenant ON COMMIT DROP AS
SELECT n::int AS tenant_no,
       CASE n WHEN 1 THEN 'tenant_primary' ELSE pg_temp.cuid('tenant', n) END AS id,
       w.word || CASE WHEN n > 20 THEN '-' || n ELSE '' END AS slug,
       initcap(w.word) || CASE WHEN n > 20 THEN ' ' || n ELSE '' END AS name
FROM generate_series(1, current_setting('seed.tenants')::bigint) AS n
JOIN unnest(ARRAY['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark', 'wayne', 'wonka', 'cyberdyne', 'tyrell', 'soylent', 'aperture',
                  'massive', 'oscorp', 'vandelay', 'dunder', 'pied-piper', 'gringotts', 'monsters', 'octan']) WITH ORDINALITY AS w(word, o)
  ON o = (n - 1) % 20 + 1;

-- tenant_no 0: no tenant that exists; tenant_id is what stands in the row.
CREATE TEMP TABLE plan_user ON COMMIT DROP AS
SELECT p.n, pg_temp.cuid('user', p.n) AS id, p.tenant_no, coalesce(t.id, p.stray) AS tenant_id,
       row_number() OVER (PARTITION BY p.tenant_no ORDER BY p.n) AS nth
FROM (SELECT n,
             CASE WHEN n > s.tenants AND n % 40 = 0 THEN 0 WHEN n <= s.tenants THEN n::int ELSE pg_temp.zipf('user', n) END AS tenant_no,
             CASE n % 400 WHEN 0 THEN 'tenant_deleted_1' WHEN 200 THEN '' END AS stray
      FROM (SELECT current_setting('seed.tenants')::bigint AS tenants, current_setting('seed.bookings')::bigint AS bookings) AS s,
           generate_series(1, greatest(s.tenants * 3, s.bookings / 20, s.tenants + 400)) AS n) AS p
LEFT JOIN plan_tenant AS t USING (tenant_no);

CREATE TEMP TABLE plan_service ON COMMIT DROP AS
SELECT p.n, pg_temp.cuid('service', p.n) AS id, p.tenant_no, coalesce(t.id, p.stray) AS tenant_id,
       row_number() OVER (PARTITION BY p.tenant_no ORDER BY p.n) AS nth
FROM (SELECT n,
             CASE WHEN n > s.tenants * 5 THEN 0 ELSE (n - 1) % s.tenants + 1 END::int AS tenant_no,
             CASE n - s.tenants * 5 WHEN 1 THEN 'tenant_deleted_2' WHEN 2 THEN '' END AS stray
      FROM (SELECT current_setting('seed.tenants')::bigint AS tenants) AS s, generate_series(1, s.tenants * 5 + 20) AS n) AS p
LEFT JOIN plan_tenant AS t USING (tenant_no);

CREATE TEMP TABLE pool_size ON COMMIT DROP AS
SELECT tenant_no, u.users, s.services
FROM (SELECT tenant_no, count(*) AS users FROM plan_user GROUP BY 1) AS u
JOIN (SELECT tenant_no, count(*) AS services FROM plan_service GROUP BY 1) AS s USING (tenant_no);

ANALYZE plan_tenant, plan_user, plan_service, pool_size;

-- Requests: one in ten has lost its tenant, though its client has one.
CREATE TEMP TABLE plan_request ON COMMIT DROP AS
SELECT p.n, pg_temp.cuid('request', p.n) AS id, p.tenant_no, CASE WHEN p.n % 10 = 0 AND p.n > p.tenants THEN NULL ELSE t.id END AS tenant_id,
       u.id AS client_id, s.id AS service_id,
       row_number() OVER (PARTITION BY p.tenant_no, p.n % 10 = 0 AND p.n > p.tenants ORDER BY p.n) AS nth,
       p.n % 10 = 0 AND p.n > p.tenants AS lost
FROM (SELECT n, k.tenants, CASE WHEN n <= k.tenants THEN n::int ELSE pg_temp.zipf('request', n) END AS tenant_no
      FROM (SELECT current_setting('seed.tenants')::bigint AS tenants, current_setting('seed.bookings')::bigint AS bookings) AS k,
           generate_series(1, greatest(k.tenants * 2, k.bookings / 4)) AS n) AS p
JOIN plan_tenant AS t USING (tenant_no)
JOIN pool_size AS z USING (tenant_no)
JOIN plan_user AS u ON u.tenant_no = p.tenant_no AND u.nth = 1 + floor(pg_temp.draw('request client', p.n) * z.users)::int
JOIN plan_service AS s ON s.tenant_no = p.tenant_no AND s.nth = 1 + floor(pg_temp.draw('request service', p.n) * z.services)::int;
CREATE INDEX ON plan_request (tenant_no, lost, nth);

-- What each booking is planted as; of a thousand in a row, so many of each kind.
CREATE TEMP TABLE plan_booking ON COMMIT DROP AS
SELECT n, kind, tenant_no,
       -- Another tenant, for bookings that lie between two.
       CASE WHEN tenant_no = 1 THEN 2 ELSE tenant_no - 1 END AS other_no
FROM (SELECT n, pg_temp.zipf('booking', n) AS tenant_no,
             CASE WHEN n % 1000 < 2 THEN 'unresolvable'
                  WHEN n % 1000 < 5 THEN 'conflict'
                  WHEN n % 1000 = 5 THEN 'cross_tenant'
                  WHEN n % 25000 = 6 THEN 'empty'
                  WHEN n % 25000 = 7 THEN 'ghost'
                  WHEN n % 1000 < 105 THEN 'has_tenant'
                  WHEN n % 1000 < 405 THEN 'by_request'
                  WHEN n % 1000 < 900 THEN 'by_client'
                  ELSE 'by_service' END AS kind
      FROM generate_series(1, current_setting('seed.bookings')::bigint) AS n) AS p;
ANALYZE plan_request, plan_booking;
