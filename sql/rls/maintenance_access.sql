-- The policies with which tenant_maintenance backfills a table under row level security: it reads every row (of the columns that
-- it was granted), and fills the tenant column of rows that have none, with the tenant whose scope is set. current_user is
-- compared as well, because a policy TO a role also applies to every role that inherits it.
DROP POLICY IF EXISTS tenant_maintenance_read ON :"table";
CREATE POLICY tenant_maintenance_read ON :"table" FOR SELECT TO :"role"
    USING (current_user = :'role_name');
DROP POLICY IF EXISTS tenant_maintenance_assign ON :"table";
CREATE POLICY tenant_maintenance_assign ON :"table" FOR UPDATE TO :"role"
    USING (:"column" IS NULL)
    WITH CHECK (:"column"::text = NULLIF(current_setting(:'variable', true), ''));
