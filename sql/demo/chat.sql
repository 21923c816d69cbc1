-- Chat messages. Most authors are members of one tenant; some are of two, so nobody can tell which one the message was for; some are gone.
CREATE TEMP TABLE plan_message ON COMMIT DROP AS
SELECT m.n, CASE WHEN m.n % 500 = 3 THEN pg_temp.cuid('deleted user', m.n) ELSE u.id END AS author_id,
       CASE WHEN m.n % 10 = 0 AND u.pool > 0 AND m.n % 500 <> 3 THEN u.tenant_id END AS tenant_id,
       m.n % 500 = 3 AS author_deleted, u.name, u.pool
FROM (SELECT n, pg_temp.pick('author', n, (SELECT count(*) FROM plan_user)) + 1 AS author
      FROM generate_series(1, greatest(pg_temp.setting('bookings') / 5, 100)) AS n) AS m
JOIN plan_user AS u ON u.n = m.author;

WITH made AS (
    INSERT INTO chat_messages (id, "userId", "userName", role, room, text, "createdAt", "tenantId")
    SELECT pg_temp.cuid('message', n), author_id, name, 'CLIENT', 'room-' || greatest(pool, 0) || '-' || n % 4,
           (ARRAY['Good morning', 'When can we talk?', 'Thank you!', 'The papers are attached.'])[1 + pg_temp.pick('text', n, 4)],
           timestamp '2024-01-01' + n * interval '90 seconds', tenant_id
    FROM plan_message
    RETURNING "tenantId" AS tenant
)
INSERT INTO planted_rows
SELECT 'chat_messages', count(*), count(*) FILTER (WHERE tenant IS NULL), count(*) FILTER (WHERE tenant = ''),
       count(*) FILTER (WHERE tenant = 'tenant_deleted_1')
FROM made;
