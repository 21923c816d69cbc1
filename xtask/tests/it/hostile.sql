-- A database in which whatever can have a name has one that attacks who reads it; the test puts it in. Rows of each kind that a report tells of.
CREATE ROLE "HOSTILE" SUPERUSER;
GRANT "HOSTILE" TO app_user;
SET session_replication_role = replica;
INSERT INTO "Tenant" (id, slug, name, "updatedAt") VALUES
    ('t HOSTILE', 's HOSTILE', 'n HOSTILE', now()),
    ('::warning::t', '::warning::slug', '=cmd|'' /C calc''!A0', now());
INSERT INTO users (id, "tenantId", email, name, "updatedAt") VALUES
    ('u HOSTILE', 't HOSTILE', 'e@HOSTILE', 'HOSTILE', now()),
    ('::warning::u', '::warning::t', '::warning::@x', '', now()),
    ('u ghost', 'ghost HOSTILE', 'ghost@HOSTILE', 'HOSTILE', now());
INSERT INTO tenant_memberships (id, "userId", "tenantId") VALUES
    ('m HOSTILE', 'u HOSTILE', 't HOSTILE'),
    ('::warning::m', 'u HOSTILE', '::warning::t');
INSERT INTO services (id, name, slug, description, "tenantId", "updatedAt") VALUES
    ('s HOSTILE', 'HOSTILE', 'HOSTILE', 'HOSTILE', 't HOSTILE', now()),
    ('::warning::s', 'HOSTILE', '::', 'HOSTILE', '::warning::t', now());
INSERT INTO bookings (
    id, "clientId", "serviceId", "tenantId", "scheduledAt", duration, "clientName", "clientEmail", "updatedAt"
)
SELECT id, client, service, tenant, now(), 30, 'HOSTILE', 'HOSTILE', now()
FROM (VALUES
    ('assignable HOSTILE', 'u HOSTILE', 's HOSTILE', NULL),
    ('::warning::conflict', 'u HOSTILE', '::warning::s', NULL),
    ('conflict HOSTILE', '::warning::u', 's HOSTILE', NULL),
    ('=unresolved HOSTILE', 'u ghost', 'nothing HOSTILE', NULL),
    ('refused HOSTILE', 'u HOSTILE', 's HOSTILE', NULL),
    ('ghost HOSTILE', 'u ghost', 's HOSTILE', 'ghost HOSTILE'),
    ('crossing HOSTILE', 'u HOSTILE', '::warning::s', 't HOSTILE')
) AS planted (id, client, service, tenant);
INSERT INTO chat_messages (id, room, "userId", "userName", role, text) VALUES
    ('HOSTILE', 'HOSTILE', 'u HOSTILE', 'HOSTILE', 'HOSTILE', 'HOSTILE');
RESET session_replication_role;

CREATE SCHEMA "HOSTILE";
CREATE TABLE "HOSTILE"."HOSTILE" (
    "HOSTILE" text CONSTRAINT "pk HOSTILE" PRIMARY KEY,
    "tenantId" text,
    "user HOSTILE" text CONSTRAINT "fk HOSTILE" REFERENCES users (id),
    CONSTRAINT "check HOSTILE" CHECK ("HOSTILE" <> 'nothing HOSTILE')
);
CREATE UNIQUE INDEX "unique HOSTILE" ON "HOSTILE"."HOSTILE" ("tenantId", "HOSTILE");
INSERT INTO "HOSTILE"."HOSTILE" VALUES
    ('row HOSTILE', NULL, 'u HOSTILE'), ('::warning::row', NULL, NULL), ('of one', 't HOSTILE', 'u HOSTILE'), ('of other', '::warning::t', NULL);
-- A second table of this name, and one that cannot be handled.
CREATE TABLE public."HOSTILE" ("HOSTILE" text PRIMARY KEY, "tenantId" text, "user HOSTILE" text);
CREATE TABLE public."odd HOSTILE" ("HOSTILE" text, "tenantId" date[]);
CREATE VIEW public."view HOSTILE" AS SELECT * FROM bookings;
GRANT SELECT ON public."view HOSTILE" TO app_user;
CREATE POLICY "HOSTILE" ON "HOSTILE"."HOSTILE" USING ("HOSTILE" <> 'HOSTILE');
CREATE POLICY "HOSTILE" ON services USING (true);

CREATE FUNCTION public."HOSTILE"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'message HOSTILE' USING DETAIL = 'detail HOSTILE', HINT = 'hint HOSTILE';
END $$;
CREATE TRIGGER "HOSTILE" BEFORE UPDATE ON bookings
    FOR EACH ROW WHEN (OLD.id = 'refused HOSTILE') EXECUTE FUNCTION public."HOSTILE"();
CREATE FUNCTION public."secdef HOSTILE"() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.bookings';
COMMENT ON TABLE bookings IS 'HOSTILE';
