-- Booking $2 of tenant $1 is confirmed.
UPDATE bookings SET confirmed = true, "updatedAt" = now() WHERE "tenantId" = $1 AND id = $2
