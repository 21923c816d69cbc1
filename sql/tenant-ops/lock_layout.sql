-- Waits for whoever installs or upgrades the schema tenant_ops, longer than this transaction waits for other locks: many may be waiting, and
-- each but the first finds it done. Held until the transaction ends.
SELECT pg_catalog.set_config('tenant_ops.lock_timeout', pg_catalog.current_setting('lock_timeout'), true),
       pg_catalog.set_config('lock_timeout', '2min', true);
SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('tenant_ops'));
SELECT pg_catalog.set_config('lock_timeout', pg_catalog.current_setting('tenant_ops.lock_timeout'), true)
