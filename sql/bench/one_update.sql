-- Gives every booking the tenant on which its service request, client and service agree, in one statement. For comparison only:
-- it holds its row locks to the end, keeps no journal, and all is lost if it is interrupted.
UPDATE bookings AS b
SET "tenantId" = d.tenant
FROM (SELECT l.id,
             least(request_tenant.id, client_tenant.id, service_tenant.id) AS tenant,
             greatest(request_tenant.id, client_tenant.id, service_tenant.id) AS highest
      FROM bookings AS l
      LEFT JOIN "ServiceRequest" AS request ON request.id = l."serviceRequestId"
      LEFT JOIN "Tenant" AS request_tenant ON request_tenant.id = request."tenantId" AND request_tenant.id <> ''
      LEFT JOIN users AS client ON client.id = l."clientId"
      LEFT JOIN "Tenant" AS client_tenant ON client_tenant.id = client."tenantId" AND client_tenant.id <> ''
      LEFT JOIN services AS service ON service.id = l."serviceId"
      LEFT JOIN "Tenant" AS service_tenant ON service_tenant.id = service."tenantId" AND service_tenant.id <> ''
      WHERE l."tenantId" IS NULL) AS d
WHERE b.id = d.id AND d.tenant = d.highest AND b."tenantId" IS NULL
