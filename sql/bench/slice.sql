-- The first bookings without a tenant in the order of their ids, with what they point to: what row by row begins with.
SELECT id, "serviceRequestId" AS request_id, "clientId" AS client_id, "serviceId" AS service_id
FROM bookings
WHERE "tenantId" IS NULL
ORDER BY id
LIMIT $1
