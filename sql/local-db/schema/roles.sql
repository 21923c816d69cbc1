-- The roles of a local server; for its superuser. Safe to run twice. Nobody can log in as them until they have a password.
DO $$
DECLARE
    v_role text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_owner') THEN
        CREATE ROLE app_owner LOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_user') THEN
        CREATE ROLE app_user LOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
    -- Policies TO a role apply to every role that inherits it: the owner may act as these, and does not inherit them.
    FOREACH v_role IN ARRAY ARRAY['tenant_maintenance', 'tenant_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', v_role);
        END IF;
        EXECUTE format('GRANT %I TO app_owner %s', v_role,
                       CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'WITH INHERIT FALSE, SET TRUE' ELSE '' END);
    END LOOP;
END
$$;
