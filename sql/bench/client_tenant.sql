-- The tenant of one client, if there is such a tenant.
SELECT t.id FROM users AS s JOIN "Tenant" AS t ON t.id = s."tenantId" AND t.id <> '' WHERE s.id = $1
