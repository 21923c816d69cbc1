-- Gives the logins of a local server the passwords that the settings local_db.* of the session hold; for its superuser.
DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['postgres', 'app_owner', 'app_user'] LOOP
        EXECUTE pg_catalog.format('ALTER ROLE %I PASSWORD %L', v_role, pg_catalog.current_setting('local_db.' || v_role));
    END LOOP;
END
$$;
