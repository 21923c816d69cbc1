-- Gives run $1 a range for each leaf $2 from page $3 up to page $4, unless it has ranges already.
INSERT INTO tenant_ops.range (run_id, leaf, next_tid, until_tid, assigned_by)
SELECT r.id, n.leaf, format('(%s,0)', n.first)::tid, format('(%s,0)', n.behind)::tid,
       array_fill(0::bigint, ARRAY[cardinality(r.sources)])
FROM tenant_ops.run AS r, unnest($2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS n (leaf, first, behind, position)
WHERE r.id = $1 AND NOT EXISTS (SELECT FROM tenant_ops.range AS l WHERE l.run_id = r.id)
ORDER BY n.position
