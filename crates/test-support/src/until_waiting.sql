-- Returns as soon as a session of this database waits for a lock, of a table or of another's transaction; fails after a minute.
DO $$
BEGIN
    FOR attempt IN 1..1200 LOOP
        -- Else every look would show the activity of the first one.
        PERFORM pg_stat_clear_snapshot();
        IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') THEN
            RETURN;
        END IF;
        PERFORM pg_sleep(0.05);
    END LOOP;
    RAISE 'nobody waits for a lock';
END
$$;
