-- Shows the auditor every row, and no other role that inherits it. A transaction a table, as each locks out the table's readers
-- for a moment; a lock_timeout above the second after which an autovacuum gives way, so that it never waits long. Safe to run twice.
BEGIN;
SET LOCAL lock_timeout = '1500ms';
DROP POLICY IF EXISTS tenant_auditor_read ON :"table";
CREATE POLICY tenant_auditor_read ON :"table" FOR SELECT TO :"role" USING (current_user = :'role_name');
COMMIT;
