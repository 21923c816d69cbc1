-- Says for the rest of the transaction which tenant the session acts for.
SELECT set_config('app.current_tenant_id', $1, true) AS tenant
