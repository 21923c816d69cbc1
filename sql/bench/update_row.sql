-- Gives one booking its tenant, if it still has none.
UPDATE bookings SET "tenantId" = $2 WHERE id = $1 AND "tenantId" IS NULL
