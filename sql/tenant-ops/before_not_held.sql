-- A value that rows had before the run $1 and of which the expression `cast` makes NULL. An earlier layout has no column for what rows had.
SELECT had.before
FROM (SELECT to_jsonb(j) ->> 'before' AS before FROM tenant_ops.journal AS j WHERE j.run_id = $1 AND j.undone_at IS NULL) AS had
WHERE had.before IS NOT NULL AND (:cast) IS NULL
LIMIT 1
