-- How many rows run $1 has made.
SELECT assigned_by[1] AS made FROM tenant_ops.run WHERE id = $1
