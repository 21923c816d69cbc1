-- A new booking $2 of tenant $1, with its user $3 and its service $4.
INSERT INTO bookings (id, "clientId", "serviceId", "scheduledAt", duration, "clientName", "clientEmail", "tenantId", "updatedAt")
VALUES ($2, $3, $4, now(), 30, 'A client', 'client@tenant.example', $1, now())
