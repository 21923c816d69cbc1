-- One batch of an undo, in one message: take_back_batch.sql, then what it did.
DO LANGUAGE plpgsql :'batch';
SELECT current_setting('tenant_ops.entries')::bigint AS entries, current_setting('tenant_ops.examined')::bigint AS examined,
       current_setting('tenant_ops.undone')::bigint AS undone
