-- What the maintenance role needs of the book-keeping, no more.
GRANT USAGE ON SCHEMA tenant_ops TO :"role";
REVOKE ALL ON FUNCTION tenant_ops.assign_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_ops.assign_batch TO :"role";
GRANT SELECT, UPDATE (heartbeat_at) ON tenant_ops.lease TO :"role";
GRANT INSERT ON tenant_ops.journal TO :"role";
GRANT SELECT, UPDATE (next_tid, batches, assigned_by) ON tenant_ops.run TO :"role";
REVOKE ALL ON FUNCTION tenant_ops.apply_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_ops.apply_batch TO :"role";
GRANT UPDATE (batches, assigned_by) ON tenant_ops.run TO :"role";
