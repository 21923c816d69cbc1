-- One tenant's organization, as a script inserts it: $1 is the tenant, $2 the name.
INSERT INTO organization_settings (id, "tenantId", name, "updatedAt")
VALUES ('c' || left(replace(gen_random_uuid()::text, '-', ''), 24), $1, $2, now() AT TIME ZONE 'UTC')
ON CONFLICT ("tenantId") DO NOTHING
