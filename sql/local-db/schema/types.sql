-- The enums of the application. Safe to run twice.
DO $$
DECLARE
    v_type record;
BEGIN
    FOR v_type IN
        SELECT * FROM (VALUES
            ('TenantStatus', ARRAY['ACTIVE', 'SUSPENDED', 'DECOMMISSIONED']),
            ('UserRole', ARRAY['CLIENT', 'TEAM_MEMBER', 'TEAM_LEAD', 'ADMIN', 'SUPER_ADMIN']),
            ('TenantRole', ARRAY['OWNER', 'ADMIN', 'MEMBER']),
            ('BookingStatus', ARRAY['PENDING', 'CONFIRMED', 'COMPLETED', 'CANCELLED', 'NO_SHOW'])) AS t(name, labels)
    LOOP
        IF to_regtype(format('%I', v_type.name)) IS NULL THEN
            EXECUTE format('CREATE TYPE %I AS ENUM (%s)', v_type.name,
                           (SELECT string_agg(quote_literal(l), ', ' ORDER BY o) FROM unnest(v_type.labels) WITH ORDINALITY AS u(l, o)));
        END IF;
    END LOOP;
END
$$;
