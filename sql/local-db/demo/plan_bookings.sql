-- Temporary tables with the kinds of bookings that are going to be planted, and which booking is of which kind. A booking truly belongs to
-- one tenant; its columns name that one ('own'), another one ('other'), none (NULL), or one that is no tenant: 'none' is a row whose tenant
-- is NULL or '', 'gone' one whose tenant was deleted, 'lost' a request of the booking's own tenant which lost it, '' the empty string.
CREATE TEMP TABLE plan_kind ON COMMIT DROP AS
SELECT kind_no, kind, tenant, request, client, service,
       -- Who asked for a service books it, and the service that was asked for, where both are of one tenant.
       coalesce(client = replace(request, 'lost', 'own'), false) AS client_of_request,
       coalesce(service = replace(request, 'lost', 'own'), false) AS service_of_request,
       least(first_slot, bookings)::bigint AS first_slot,
       (least(first_slot + rows, bookings) - least(first_slot, bookings))::bigint AS rows
FROM (SELECT k.*, s.bookings, c.rows, sum(c.rows) OVER (ORDER BY kind_no) - c.rows AS first_slot
      FROM (SELECT pg_temp.setting('bookings')) AS s(bookings),
           (VALUES
               -- Out of 100,000 bookings, so many; at least one, and the last kind takes the rest.
               (1, 120, 'unresolvable', NULL, NULL, 'none', 'none'),
               (2, 50, 'unresolvable', NULL, 'none', 'none', 'none'),
               (3, 30, 'unresolvable', NULL, NULL, 'gone', 'gone'),
               (4, 120, 'conflict', NULL, NULL, 'own', 'other'),
               (5, 80, 'conflict', NULL, 'own', 'own', 'other'),
               (6, 60, 'conflict', NULL, 'own', 'other', 'own'),
               (7, 40, 'conflict', NULL, 'other', 'own', 'none'),
               (8, 100, 'cross_tenant', 'own', NULL, 'own', 'other'),
               (9, 4, 'empty_string', '', NULL, 'own', 'own'),
               (10, 4, 'ghost', 'gone', NULL, 'gone', 'gone'),
               (11, 4000, 'has_tenant', 'own', 'own', 'own', 'own'),
               (12, 6000, 'has_tenant', 'own', NULL, 'own', 'own'),
               (13, 22000, 'by_service_request', NULL, 'own', 'own', 'own'),
               (14, 6000, 'by_service_request', NULL, 'own', 'own', 'none'),
               (15, 2000, 'by_service_request', NULL, 'own', 'gone', 'none'),
               (16, 8000, 'by_service', NULL, NULL, 'none', 'own'),
               (17, 2000, 'by_service', NULL, 'lost', 'gone', 'own'),
               (18, 15000, 'by_client', NULL, NULL, 'own', 'none'),
               (19, 9000, 'by_client', NULL, 'lost', 'own', 'own'),
               (20, 100, 'by_client', NULL, 'gone', 'own', 'own'),
               (21, 100000, 'by_client', NULL, NULL, 'own', 'own')
           ) AS k(kind_no, share, kind, tenant, request, client, service),
           LATERAL (SELECT greatest(1, s.bookings * k.share / 100000)) AS c(rows)) AS k;

-- A slot for each booking: multiplying by a prime visits each slot once, in no order that one sees.
CREATE TEMP TABLE plan_booking ON COMMIT DROP AS
SELECT n, width_bucket((n * 2147483647 + pg_temp.pick('slot', 0, pg_temp.setting('bookings'))) % pg_temp.setting('bookings'),
                       (SELECT array_agg(first_slot ORDER BY kind_no) FROM plan_kind WHERE rows > 0)) AS kind_no,
       own,
       (own + pg_temp.pick('other tenant', n, pg_temp.setting('tenants') - 1))::int % pg_temp.setting('tenants')::int + 1 AS other
FROM (SELECT n, width_bucket(pg_temp.pick('booking tenant', n, (SELECT max(draws) FROM plan_tenant)),
                             (SELECT array_agg(first_draw ORDER BY pool) FROM plan_tenant)) AS own
      FROM generate_series(1, pg_temp.setting('bookings')) AS n) AS p;
ANALYZE plan_kind, plan_booking;
