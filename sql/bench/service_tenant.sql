-- The tenant of one service, if there is such a tenant.
SELECT t.id FROM services AS s JOIN "Tenant" AS t ON t.id = s."tenantId" AND t.id <> '' WHERE s.id = $1
