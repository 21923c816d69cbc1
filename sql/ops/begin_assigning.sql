-- What assign_batch.sql is to do, local to the transaction: range $2 of run $1, from tid $3 up to tid $4, no more than $5 rows, with the
-- scope of each tenant in the session variable $6.
SELECT set_config('tenant_ops.run', $1::bigint::text, true),
       set_config('tenant_ops.range', $2::bigint::text, true),
       set_config('tenant_ops.from_tid', $3, true),
       set_config('tenant_ops.until_tid', $4, true),
       set_config('tenant_ops.row_limit', coalesce($5::bigint::text, ''), true),
       set_config('tenant_ops.variable', $6, true)
