-- A number for which booking has which tenant, independent of the order of rows; $1 restricts it to some ids, NULL to none.
SELECT coalesce(sum(hashtextextended(id || '=' || coalesce("tenantId", '?'), 0)::numeric), 0)::text
FROM bookings
WHERE $1::text[] IS NULL OR id = ANY ($1)
