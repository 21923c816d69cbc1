-- No statement under an exclusive lock may take longer, and no client that was lost may keep one.
SET LOCAL statement_timeout = '15s';
SET LOCAL idle_in_transaction_session_timeout = '15s'
