-- How many rows run $1 has made, if it still runs. Other transactions that make rows in it wait until this one ends.
SELECT assigned_by[1] AS made FROM tenant_ops.run WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE
