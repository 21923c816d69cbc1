-- One tenant's security settings, as a script inserts them: $1 is the tenant, the others are its columns.
INSERT INTO security_settings (id, "tenantId", "passwordPolicy", "sessionSecurity", "twoFactor", network, "dataProtection", compliance, "updatedAt")
VALUES ('c' || left(replace(gen_random_uuid()::text, '-', ''), 24), $1, $2, $3, $4, $5, $6, $7, now() AT TIME ZONE 'UTC')
ON CONFLICT ("tenantId") DO NOTHING
