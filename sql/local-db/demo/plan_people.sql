-- Temporary tables with the tenants, users and services that are going to be planted. Rows are kept in pools: pool 1, 2, … belongs to
-- the tenant of that number, pool 0 to no tenant (NULL or the empty string), pool -1 to a tenant that was deleted. Positions run through
-- the pools one after the other, so that a row is drawn from a pool by one number.
CREATE TEMP TABLE plan_tenant ON COMMIT DROP AS
SELECT n::int AS pool,
       CASE n WHEN 1 THEN 'tenant_primary' ELSE pg_temp.cuid('tenant', n) END AS id,
       word || CASE WHEN n > 20 THEN '-' || (n + 19) / 20 ELSE '' END AS slug,
       initcap(replace(word, '-', ' ')) || CASE WHEN n > 20 THEN ' ' || (n + 19) / 20 ELSE '' END AS name,
       -- The k-th tenant has 1/k of the first one's rows (Zipf): a draw from this number up to the next one's is this tenant.
       coalesce(sum(100000000 / n) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint AS first_draw,
       (sum(100000000 / n) OVER ())::bigint AS draws
FROM generate_series(1, pg_temp.setting('tenants')) AS n
JOIN unnest(ARRAY['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark', 'wayne', 'wonka', 'cyberdyne', 'tyrell', 'soylent', 'aperture',
                  'massive', 'oscorp', 'vandelay', 'dunder', 'pied-piper', 'gringotts', 'monsters', 'octan']) WITH ORDINALITY AS w(word, o)
  ON o = (n - 1) % 20 + 1;

-- Every tenant has a user and a service; each pool without a tenant has some too.
CREATE TEMP TABLE plan_user ON COMMIT DROP AS
SELECT p.n, p.pool, row_number() OVER (ORDER BY p.pool, p.n) AS position,
       pg_temp.cuid('user', p.n) AS id,
       CASE p.pool WHEN -1 THEN 'tenant_deleted_1' WHEN 0 THEN CASE WHEN p.n % 3 = 0 THEN '' END ELSE t.id END AS tenant_id,
       first || ' ' || last AS name,
       lower(first || '.' || last || p.n || '@example.com') AS email
FROM (SELECT n,
             CASE WHEN n <= pg_temp.setting('tenants') THEN n
                  WHEN n % 50 = 1 THEN -1
                  WHEN n % 50 < 4 THEN 0
                  ELSE width_bucket(pg_temp.pick('user tenant', n, (SELECT max(draws) FROM plan_tenant)),
                                    (SELECT array_agg(first_draw ORDER BY pool) FROM plan_tenant))
             END::int AS pool,
             (ARRAY['Ada', 'Grace', 'Linus', 'Edgar', 'Barbara', 'Ken', 'Margaret'])[1 + pg_temp.pick('first name', n, 7)] AS first,
             (ARRAY['Berg', 'Codd', 'Lee', 'Ortiz', 'Sato', 'Hopper', 'Okafor', 'Novak'])[1 + pg_temp.pick('last name', n, 8)] AS last
      FROM generate_series(1, greatest(pg_temp.setting('bookings') / 20, pg_temp.setting('tenants') * 3 + 100)) AS n) AS p
LEFT JOIN plan_tenant AS t USING (pool);

CREATE TEMP TABLE plan_service ON COMMIT DROP AS
SELECT p.n, p.pool, row_number() OVER (ORDER BY p.pool, p.n) AS position,
       pg_temp.cuid('service', p.n) AS id,
       CASE p.pool WHEN -1 THEN 'tenant_deleted_1' WHEN 0 THEN CASE WHEN p.n % 5 = 0 THEN '' END ELSE t.id END AS tenant_id
FROM (SELECT n,
             CASE WHEN n > pg_temp.setting('tenants') * 5 THEN - (n % 10 = 0)::int ELSE (n - 1) % pg_temp.setting('tenants') + 1 END::int AS pool
      FROM generate_series(1, pg_temp.setting('tenants') * 5 + 20) AS n) AS p
LEFT JOIN plan_tenant AS t USING (pool);

CREATE TEMP TABLE plan_pool ON COMMIT DROP AS
SELECT pool, u.users, u.first_user, s.services, s.first_service
FROM (SELECT pool, count(*) AS users, min(position) AS first_user FROM plan_user GROUP BY pool) AS u
JOIN (SELECT pool, count(*) AS services, min(position) AS first_service FROM plan_service GROUP BY pool) AS s USING (pool);
ANALYZE plan_tenant, plan_user, plan_service, plan_pool;
