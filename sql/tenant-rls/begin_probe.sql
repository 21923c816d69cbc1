-- Begins a transaction of attempts, after BEGIN: what operators cost, a savepoint to return to, and what the session variable is.
SELECT pg_catalog.set_config('cpu_operator_cost', :'cost', true);
SAVEPOINT probe;
SELECT pg_catalog.current_setting(:'variable', true) AS found
