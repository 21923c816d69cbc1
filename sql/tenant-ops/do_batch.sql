-- One batch, in one message: assign_batch.sql, then what it did.
DO LANGUAGE plpgsql :'batch';
SELECT current_setting('tenant_ops.examined')::bigint AS examined, current_setting('tenant_ops.assigned_by')::bigint[] AS assigned_by
