-- Indexes besides those of the keys; bookings has nine with its primary key. Safe to run twice.
CREATE INDEX IF NOT EXISTS "bookings_scheduledAt_idx" ON bookings ("scheduledAt");
CREATE INDEX IF NOT EXISTS "bookings_status_idx" ON bookings ("status");
CREATE INDEX IF NOT EXISTS "bookings_clientId_idx" ON bookings ("clientId");
CREATE INDEX IF NOT EXISTS "bookings_serviceId_idx" ON bookings ("serviceId");
CREATE INDEX IF NOT EXISTS "bookings_clientEmail_idx" ON bookings ("clientEmail");
CREATE INDEX IF NOT EXISTS "bookings_createdAt_idx" ON bookings ("createdAt");
CREATE INDEX IF NOT EXISTS "bookings_status_scheduledAt_idx" ON bookings ("status", "scheduledAt");
CREATE INDEX IF NOT EXISTS "bookings_tenantId_idx" ON bookings ("tenantId");
CREATE INDEX IF NOT EXISTS "ServiceRequest_tenantId_idx" ON "ServiceRequest" ("tenantId");
CREATE INDEX IF NOT EXISTS "WorkOrder_tenantId_idx" ON "WorkOrder" ("tenantId");
CREATE INDEX IF NOT EXISTS "invoices_tenantId_idx" ON invoices ("tenantId");
CREATE INDEX IF NOT EXISTS "chat_messages_tenantId_room_createdAt_idx" ON chat_messages ("tenantId", "room", "createdAt");
