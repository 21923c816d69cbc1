-- Chat messages. Most authors are members of one tenant; some lost that membership, and their own row tells it; some are gone. Those who are
-- members of two tenants write in a room of their own and in the lobby. In some of these rooms one message has their own tenant, in some the
-- second one, and decides for the others there; in some there is one of each, and in the lobby none, so nobody can tell.
CREATE TEMP TABLE plan_message ON COMMIT DROP AS
SELECT n, author_id, author_deleted, name, room, tenant_id,
       CASE WHEN tenant_id IS NOT NULL THEN 'has_tenant'
            WHEN pool < 1 OR author_deleted THEN 'unresolvable'
            WHEN place IN ('own', 'second') THEN 'by_room'
            WHEN place IN ('both', 'lobby') THEN 'conflict'
            WHEN is_member THEN 'by_membership'
            ELSE 'by_author' END AS kind
FROM (SELECT *,
             CASE WHEN place IN ('own', 'both') AND nth = 1 THEN own_tenant
                  WHEN place = 'second' AND nth = 1 OR place = 'both' AND nth = 2 THEN second_tenant
                  WHEN place = 'any' AND n % 10 = 0 AND pool > 0 THEN own_tenant END AS tenant_id
      FROM (SELECT *, row_number() OVER (PARTITION BY author_id, room ORDER BY n) AS nth
            FROM (SELECT *, 'room-' || greatest(pool, 0) || '-' || CASE place WHEN 'any' THEN (n % 4)::text ELSE place END AS room
                  FROM (SELECT m.n, u.name, u.pool, u.tenant_id AS own_tenant, s.tenant_id AS second_tenant, f.n IS NOT NULL AS is_member,
                               m.n % 500 = 3 AS author_deleted,
                               CASE WHEN m.n % 500 = 3 THEN pg_temp.cuid('deleted user', m.n) ELSE u.id END AS author_id,
                               CASE WHEN s.n IS NULL OR m.n % 500 = 3 THEN 'any'
                                    WHEN m.n % 3 = 0 THEN 'lobby'
                                    ELSE (ARRAY['own', 'second', 'both'])[1 + u.n / 10 % 3] END AS place
                        FROM (SELECT n, pg_temp.pick('author', n, (SELECT count(*) FROM plan_user)) + 1 AS author
                              FROM generate_series(1, greatest(pg_temp.setting('bookings') / 5, 100)) AS n) AS m
                        JOIN plan_user AS u ON u.n = m.author
                        LEFT JOIN plan_membership AS f ON f.user_id = u.id AND f.is_default
                        LEFT JOIN plan_membership AS s ON s.user_id = u.id AND NOT s.is_default) AS a) AS b) AS c) AS d;

WITH made AS (
    INSERT INTO chat_messages (id, "userId", "userName", role, room, text, "createdAt", "tenantId")
    SELECT pg_temp.cuid('message', n), author_id, name, 'CLIENT', room,
           (ARRAY['Good morning', 'When can we talk?', 'Thank you!', 'The papers are attached.'])[1 + pg_temp.pick('text', n, 4)],
           timestamp '2024-01-01' + n * interval '90 seconds', tenant_id
    FROM plan_message
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'chat_messages', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;
