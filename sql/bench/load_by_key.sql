-- Booking $2 of tenant $1, or of none yet.
SELECT id, status::text FROM bookings WHERE ("tenantId" = $1 OR "tenantId" IS NULL) AND id = $2
