-- Settings of a backfill batch, all local to its transaction; $3 is the session variable that policies read, $4 the path that the
-- application's code expects. A batch is short and planned anew each time: compiling its plan would take longer than running it.
SELECT set_config('lock_timeout', $1, true),
       set_config('statement_timeout', $2, true),
       set_config('idle_in_transaction_session_timeout', '60s', true),
       set_config('synchronous_commit', 'off', true),
       set_config('jit', 'off', true),
       set_config($3, '', true),
       set_config('tenant_ops.application_path', $4, true)
