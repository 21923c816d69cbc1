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
    -- Policies TO a role apply to every role that inherits it: the owner may act as these, and does not inherit them. Up to
    -- PostgreSQL 15, where a membership cannot say so, a role that inherits nothing stands between.
    FOREACH v_role IN ARRAY ARRAY['tenant_maintenance', 'tenant_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', v_role);
        END IF;
        IF current_setting('server_version_num')::int >= 160000 THEN
            EXECUTE format('GRANT %I TO app_owner WITH INHERIT FALSE, SET TRUE', v_role);
        ELSE
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role || '_operators') THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', v_role || '_operators');
            END IF;
            EXECUTE format('GRANT %I TO %I', v_role, v_role || '_operators');
            EXECUTE format('GRANT %I TO app_owner', v_role || '_operators');
            IF EXISTS (SELECT FROM pg_auth_members WHERE roleid = v_role::regrole AND member = 'app_owner'::regrole) THEN
                EXECUTE format('REVOKE %I FROM app_owner', v_role);
            END IF;
        END IF;
    END LOOP;
END
$$;
