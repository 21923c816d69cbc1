-- The application's tables, as its ORM makes them; keys and indexes follow in files of their own. Safe to run twice.
CREATE TABLE IF NOT EXISTS "Tenant" (
    "id" text NOT NULL,
    "slug" text NOT NULL,
    "name" text NOT NULL,
    "status" "TenantStatus" NOT NULL DEFAULT 'ACTIVE',
    "primaryDomain" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS users (
    "id" text NOT NULL,
    "tenantId" text,
    "email" text NOT NULL,
    "name" text,
    "image" text,
    "role" "UserRole" NOT NULL DEFAULT 'CLIENT',
    "sessionVersion" int NOT NULL DEFAULT 0,
    "emailVerified" timestamp(3),
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS tenant_memberships (
    "id" text NOT NULL,
    "userId" text NOT NULL,
    "tenantId" text NOT NULL,
    "role" "TenantRole" NOT NULL DEFAULT 'MEMBER',
    "isDefault" bool NOT NULL DEFAULT false,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS services (
    "id" text NOT NULL,
    "name" text NOT NULL,
    "slug" text NOT NULL,
    "description" text NOT NULL,
    "price" numeric(10, 2),
    "active" bool NOT NULL DEFAULT true,
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS "ServiceRequest" (
    "id" text NOT NULL,
    "clientId" text NOT NULL,
    "serviceId" text NOT NULL,
    "title" text NOT NULL,
    "description" text,
    "deadline" timestamp(3),
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS bookings (
    "id" text NOT NULL,
    "clientId" text NOT NULL,
    "serviceId" text NOT NULL,
    "serviceRequestId" text,
    "status" "BookingStatus" NOT NULL DEFAULT 'PENDING',
    "scheduledAt" timestamp(3) NOT NULL,
    "duration" int NOT NULL,
    "clientName" text NOT NULL,
    "clientEmail" text NOT NULL,
    "notes" text,
    "clientPhone" text,
    "confirmed" bool NOT NULL DEFAULT false,
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS "WorkOrder" (
    "id" text NOT NULL,
    "serviceRequestId" text,
    "bookingId" text,
    "clientId" text,
    "serviceId" text,
    "title" text NOT NULL,
    "status" text NOT NULL DEFAULT 'OPEN',
    "dueAt" timestamp(3),
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS invoices (
    "id" text NOT NULL,
    "bookingId" text,
    "clientId" text,
    "number" text,
    "totalCents" int NOT NULL DEFAULT 0,
    "currency" text NOT NULL DEFAULT 'USD',
    "paidAt" timestamp(3),
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS attachments (
    "id" text NOT NULL,
    "serviceRequestId" text,
    "uploaderId" text,
    "fileName" text NOT NULL,
    "contentType" text,
    "size" int,
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS expenses (
    "id" text NOT NULL,
    "userId" text NOT NULL,
    "attachmentId" text,
    "vendor" text,
    "category" text,
    "amountCents" int NOT NULL,
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS "ScheduledReminder" (
    "id" text NOT NULL,
    "serviceRequestId" text NOT NULL,
    "channel" text NOT NULL DEFAULT 'EMAIL',
    "scheduledAt" timestamp(3) NOT NULL,
    "sent" bool NOT NULL DEFAULT false,
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS chat_messages (
    "id" text NOT NULL,
    "userId" text NOT NULL,
    "userName" text NOT NULL,
    "role" text NOT NULL,
    "room" text NOT NULL,
    "text" text NOT NULL,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tenantId" text
);
CREATE TABLE IF NOT EXISTS booking_settings (
    "id" text NOT NULL,
    "tenantId" text,
    "slotMinutes" int NOT NULL DEFAULT 30,
    "bufferMinutes" int NOT NULL DEFAULT 0,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS "IdempotencyKey" (
    "id" serial NOT NULL,
    "key" text NOT NULL,
    "userId" text,
    "status" text NOT NULL DEFAULT 'IN_PROGRESS',
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS organization_settings (
    "id" text NOT NULL,
    "tenantId" text NOT NULL,
    "name" text NOT NULL,
    "defaultTimezone" text NOT NULL DEFAULT 'UTC',
    "defaultCurrency" text NOT NULL DEFAULT 'USD',
    "defaultLocale" text NOT NULL DEFAULT 'en',
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS security_settings (
    "id" text NOT NULL,
    "tenantId" text NOT NULL,
    "passwordPolicy" jsonb,
    "sessionSecurity" jsonb,
    "twoFactor" jsonb,
    "network" jsonb,
    "dataProtection" jsonb,
    "compliance" jsonb,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" timestamp(3) NOT NULL
);
CREATE TABLE IF NOT EXISTS audit_logs (
    "id" text NOT NULL,
    "action" text NOT NULL,
    "actorId" text,
    "metadata" jsonb,
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS audit_events (
    "id" text NOT NULL,
    "type" text NOT NULL,
    "payload" jsonb,
    "tenantId" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS service_views (
    id text NOT NULL,
    service_id text NOT NULL,
    tenant_id text,
    viewed_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
