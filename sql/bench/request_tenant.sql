-- The tenant of one service request, if there is such a tenant.
SELECT t.id FROM "ServiceRequest" AS s JOIN "Tenant" AS t ON t.id = s."tenantId" AND t.id <> '' WHERE s.id = $1
