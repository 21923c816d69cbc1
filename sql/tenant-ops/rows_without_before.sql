-- Whether run $1 gave a tenant to a row that had none, and that was not taken back. An earlier layout has no column for what rows had.
SELECT EXISTS (SELECT FROM tenant_ops.journal AS j WHERE run_id = $1 AND undone_at IS NULL AND to_jsonb(j) ->> 'before' IS NULL) AS had_none
