-- A value that rows had before the run $1 and that does not match the pattern $2. An earlier layout has no column for what rows had.
SELECT to_jsonb(j) ->> 'before' AS before
FROM tenant_ops.journal AS j
WHERE j.run_id = $1 AND j.undone_at IS NULL AND to_jsonb(j) ->> 'before' !~ $2
LIMIT 1
