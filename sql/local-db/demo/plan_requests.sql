-- A temporary table with the service requests that are going to be planted, in pools as people are. One in ten has lost its tenant though
-- client and service have one: such a request is in pool `number of tenants + its tenant`.
CREATE TEMP TABLE plan_request ON COMMIT DROP AS
SELECT p.n, p.pool, row_number() OVER (ORDER BY p.pool, p.n) AS position,
       z.first_user + pg_temp.pick('request client', p.n, z.users) AS client,
       z.first_service + pg_temp.pick('request service', p.n, z.services) AS service
FROM (SELECT n, truly, CASE WHEN truly > 0 AND n > pg_temp.setting('tenants') AND n % 10 = 5
                            THEN pg_temp.setting('tenants')::int + truly ELSE truly END AS pool
      FROM (SELECT n, CASE WHEN n <= pg_temp.setting('tenants') THEN n
                           WHEN n % 200 = 1 THEN -1
                           WHEN n % 200 < 4 THEN 0
                           ELSE width_bucket(pg_temp.pick('request tenant', n, (SELECT max(draws) FROM plan_tenant)),
                                             (SELECT array_agg(first_draw ORDER BY pool) FROM plan_tenant))
                      END::int AS truly
            FROM generate_series(1, pg_temp.setting('bookings') / 2 + pg_temp.setting('tenants') + 200) AS n) AS r) AS p
JOIN plan_pool AS z ON z.pool = p.truly;

CREATE TEMP TABLE plan_request_pool ON COMMIT DROP AS
SELECT pool, count(*) AS requests, min(position) AS first_request FROM plan_request GROUP BY pool;
ANALYZE plan_request, plan_request_pool;
