-- One batch as other tools do it: the next $2 bookings without a tenant in the order of their ids, behind id $1. Tells the last id
-- of the batch, how many bookings it had, and how many of them were given a tenant.
WITH batch AS MATERIALIZED (
    SELECT id, "serviceRequestId", "clientId", "serviceId"
    FROM bookings
    WHERE id > $1 AND "tenantId" IS NULL
    ORDER BY id
    LIMIT $2
), decided AS (
    SELECT l.id,
           least(request_tenant.id, client_tenant.id, service_tenant.id) AS tenant,
           greatest(request_tenant.id, client_tenant.id, service_tenant.id) AS highest
    FROM batch AS l
    LEFT JOIN "ServiceRequest" AS request ON request.id = l."serviceRequestId"
    LEFT JOIN "Tenant" AS request_tenant ON request_tenant.id = request."tenantId" AND request_tenant.id <> ''
    LEFT JOIN users AS client ON client.id = l."clientId"
    LEFT JOIN "Tenant" AS client_tenant ON client_tenant.id = client."tenantId" AND client_tenant.id <> ''
    LEFT JOIN services AS service ON service.id = l."serviceId"
    LEFT JOIN "Tenant" AS service_tenant ON service_tenant.id = service."tenantId" AND service_tenant.id <> ''
), written AS (
    UPDATE bookings AS b
    SET "tenantId" = d.tenant
    FROM decided AS d
    WHERE b.id = d.id AND d.tenant = d.highest AND b."tenantId" IS NULL
    RETURNING b.id
)
SELECT (SELECT max(id) FROM batch) AS last_id, (SELECT count(*) FROM batch) AS rows, (SELECT count(*) FROM written) AS written
