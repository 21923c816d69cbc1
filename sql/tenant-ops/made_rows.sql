-- The next entries of run $1 that were not taken back, newest first, those before the entry $2: rows that it made for a tenant, and the
-- transaction that did.
SELECT id, tenant_id, row_keys, xmin::text AS made_in
FROM tenant_ops.journal
WHERE run_id = $1 AND undone_at IS NULL AND ($2::bigint IS NULL OR id < $2)
ORDER BY id DESC
LIMIT 1000
