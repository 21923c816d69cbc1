-- Booking $2 of tenant $1.
SELECT id, status::text FROM bookings WHERE "tenantId" = $1 AND id = $2
