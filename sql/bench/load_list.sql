-- The newest bookings of client $2 in tenant $1, or in none yet.
SELECT id, status::text
FROM bookings
WHERE ("tenantId" = $1 OR "tenantId" IS NULL) AND "clientId" = $2
ORDER BY "createdAt" DESC
LIMIT 20
