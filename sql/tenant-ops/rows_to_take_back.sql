-- The rows that run $1 gave a tenant and that no undo has looked at. Both arrays of an entry have an element for each row; this one is smaller.
SELECT coalesce(sum(cardinality(sources)), 0)::bigint AS rows
FROM tenant_ops.journal
WHERE run_id = $1 AND undone_at IS NULL
