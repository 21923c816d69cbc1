-- One range of run $1 for leaf $2 from tid $3 to tid $4.
INSERT INTO tenant_ops.range (run_id, leaf, next_tid, until_tid, assigned_by)
SELECT r.id, $2, $3::text::tid, $4::text::tid, array_fill(0::bigint, ARRAY[cardinality(r.sources)])
FROM tenant_ops.run AS r WHERE r.id = $1
RETURNING id
