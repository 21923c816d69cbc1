-- A trigger of the application's that refuses one tenant, whichever way its row comes.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."tenantId" = 't_globex' THEN
        RAISE EXCEPTION 'not this one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON security_settings FOR EACH ROW EXECUTE FUNCTION refuse();
