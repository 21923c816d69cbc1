-- Run $1 is $2 from now on, by $3, if it is one of $4 now.
UPDATE tenant_ops.run
SET state = $2, state_by = $3, state_at = clock_timestamp(),
    ended_at = CASE WHEN $2 IN ('running', 'paused') THEN NULL
                    -- An undo begins after the end.
                    WHEN $2 = 'undoing' THEN coalesce(ended_at, clock_timestamp())
                    ELSE clock_timestamp() END
WHERE id = $1 AND state = ANY ($4)
RETURNING id
