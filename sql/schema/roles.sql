-- The roles of a local server; for its superuser. Safe to run twice.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_owner') THEN
        CREATE ROLE app_owner LOGIN PASSWORD 'local' NOSUPERUSER NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_user') THEN
        CREATE ROLE app_user LOGIN PASSWORD 'local' NOSUPERUSER NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenant_maintenance') THEN
        CREATE ROLE tenant_maintenance NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
    -- Policies TO a role apply to every role that inherits it: the owner may act as it, and does not inherit it.
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'GRANT tenant_maintenance TO app_owner WITH INHERIT FALSE, SET TRUE';
    ELSE
        GRANT tenant_maintenance TO app_owner;
    END IF;
END
$$;
