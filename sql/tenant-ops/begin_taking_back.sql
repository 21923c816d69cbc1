-- What take_back_batch.sql is to do, local to the transaction: entries of run $1 with about $4 rows, under the lease on $2 with the fence $3,
-- with the scope of each tenant in the session variable $5.
SELECT set_config('tenant_ops.run', $1::bigint::text, true),
       set_config('tenant_ops.resource', $2, true),
       set_config('tenant_ops.fence', $3::bigint::text, true),
       set_config('tenant_ops.most_rows', $4::bigint::text, true),
       set_config('tenant_ops.variable', $5, true)
