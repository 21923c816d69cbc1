-- A fragment. It needs `DO` before it, and quotes around it.
-- Makes the login of sign-in where it is missing: a migration runs on many servers.
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role_name') THEN
        :create;
    END IF;
END
