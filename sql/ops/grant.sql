-- What the maintenance role needs of the book-keeping, no more.
GRANT USAGE ON SCHEMA tenant_ops TO :"role";
-- It had more before runs had ranges.
REVOKE ALL ON tenant_ops.lease, tenant_ops.run FROM :"role";
GRANT INSERT ON tenant_ops.journal TO :"role";
GRANT SELECT ON tenant_ops.run TO :"role";
GRANT SELECT, UPDATE (next_tid, examined, batches, assigned_by) ON tenant_ops.range TO :"role";
GRANT SELECT, INSERT, UPDATE (error) ON tenant_ops.refused TO :"role";
REVOKE ALL ON FUNCTION tenant_ops.apply_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_ops.apply_batch TO :"role";
GRANT UPDATE (batches, assigned_by) ON tenant_ops.run TO :"role";
