-- Booking $2 of tenant $1, or of none yet, is confirmed.
UPDATE bookings SET confirmed = true, "updatedAt" = now() WHERE ("tenantId" = $1 OR "tenantId" IS NULL) AND id = $2
