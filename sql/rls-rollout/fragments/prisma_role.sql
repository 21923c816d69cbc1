-- A fragment. It needs `DO` before it, and quotes around it.
-- Makes a role where it is missing, and lets this login act as it: a migration runs on many servers.
DECLARE
    missing bool := NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role_name');
    -- From 16 on membership can leave out inheritance.
    separate text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
BEGIN
    IF missing THEN
        CREATE ROLE :"role" NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
    IF (missing OR NOT pg_has_role(current_user, :'role_name', 'MEMBER'))
       AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT %I TO %I', :'role_name', current_user) || separate;
    END IF;
END
