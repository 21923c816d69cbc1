-- Bookings that a load works on, about $1 of each hundred, with their client, their service and the tenant of their client.
SELECT b.id, t.id AS tenant_id, b."clientId" AS client_id, b."serviceId" AS service_id
FROM bookings AS b TABLESAMPLE bernoulli ($1) REPEATABLE (1)
JOIN users AS u ON u.id = b."clientId"
JOIN "Tenant" AS t ON t.id = u."tenantId"
JOIN services AS s ON s.id = b."serviceId"
ORDER BY b.id
