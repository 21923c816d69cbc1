-- Returns as soon as no session of this database waits for a lock; fails after a minute.
DO $$
BEGIN
    FOR attempt IN 1..1200 LOOP
        IF NOT EXISTS (
            SELECT FROM pg_locks
            WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        ) THEN
            RETURN;
        END IF;
        PERFORM pg_sleep(0.05);
    END LOOP;
    RAISE 'somebody still waits for a lock';
END
$$;
