-- A fragment. It needs `DO` before it, and quotes around it.
-- Makes a role where it is missing, and lets this login act as it without inheriting it: a migration runs on many servers.
DECLARE
    missing bool := NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role_name');
BEGIN
    IF missing THEN
        CREATE ROLE :"role" NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
    IF (missing OR NOT pg_has_role(current_user, :'role_name', 'MEMBER'))
       AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        IF current_setting('server_version_num')::int >= 160000 THEN
            EXECUTE format('GRANT %I TO %I', :'role_name', current_user) || ' WITH INHERIT FALSE, SET TRUE';
        ELSIF :'between' = '' THEN
            EXECUTE format('GRANT %I TO %I', :'role_name', current_user);
        ELSE
            -- Up to 15 a membership cannot leave out inheritance: a role that inherits nothing stands between.
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'between') THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', :'between');
            END IF;
            EXECUTE format('GRANT %I TO %I', :'role_name', :'between');
            EXECUTE format('GRANT %I TO %I', :'between', current_user);
        END IF;
    END IF;
END
