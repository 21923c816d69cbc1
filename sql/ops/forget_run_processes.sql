-- Takes out the processes of run $1 that died long ago. A day, on either side: a clock that is set an hour forward or back takes nobody out.
DELETE FROM tenant_ops.run_process
WHERE run_id = $1 AND heartbeat_at NOT BETWEEN clock_timestamp() - interval '1 day' AND clock_timestamp() + interval '1 day'
