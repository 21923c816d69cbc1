-- The newest bookings of tenant $1.
SELECT id, status::text FROM bookings WHERE "tenantId" = $1 ORDER BY "createdAt" DESC LIMIT 20
