-- One benchmark at a time on a server, as they use the same names; the lock ends with the session. Waits a moment, for that of
-- one that was just stopped.
SET lock_timeout = '3s';
SELECT pg_advisory_lock(hashtext('cargo xtask bench'));
SET lock_timeout = 0
