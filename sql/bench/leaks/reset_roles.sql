-- Roles belong to the whole server: takes back what a case did to them. Its database is gone.
DO $$
DECLARE
    v_row record;
    -- Up to PostgreSQL 15, those that inherit nothing stand between the owner and the roles that it acts as.
    v_between CONSTANT text[] := ARRAY['tenant_maintenance_operators', 'tenant_auditor_operators'];
    v_ours CONSTANT text[] := ARRAY['app_owner', 'app_user', 'tenant_maintenance', 'tenant_auditor'] || v_between;
BEGIN
    -- Before the roles, as those that were granted by one of them hold it.
    FOR v_row IN
        SELECT r.rolname AS role, m.rolname AS member, g.rolname AS grantor
        FROM pg_auth_members AS a
        JOIN pg_roles AS r ON r.oid = a.roleid
        JOIN pg_roles AS m ON m.oid = a.member
        JOIN pg_roles AS g ON g.oid = a.grantor
        WHERE NOT (m.rolname = 'app_owner'
                   AND (r.rolname = ANY (v_between) OR r.rolname = 'pg_monitor'
                        OR r.rolname IN ('tenant_maintenance', 'tenant_auditor') AND current_setting('server_version_num')::int >= 160000))
          AND NOT (m.rolname = ANY (v_between) AND m.rolname = r.rolname || '_operators')
          AND m.rolname = ANY (v_ours)
    LOOP
        EXECUTE format('REVOKE %I FROM %I GRANTED BY %I CASCADE', v_row.role, v_row.member, v_row.grantor);
    END LOOP;
    FOR v_row IN
        SELECT rolname FROM pg_roles WHERE rolname <> ALL (v_ours) AND rolname !~ '^pg_' AND NOT (rolsuper AND rolname = current_user)
    LOOP
        EXECUTE format('DROP OWNED BY %I CASCADE', v_row.rolname);
        EXECUTE format('DROP ROLE %I', v_row.rolname);
    END LOOP;
    FOR v_row IN
        SELECT rolname, CASE WHEN rolname = ANY (v_between) THEN 'NOINHERIT' ELSE 'INHERIT' END AS inherits
        FROM pg_roles
        WHERE rolname = ANY (v_ours)
    LOOP
        EXECUTE format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION CONNECTION LIMIT -1 %s', v_row.rolname, v_row.inherits);
        EXECUTE format('ALTER ROLE %I RESET ALL', v_row.rolname);
    END LOOP;
    ALTER ROLE ALL RESET ALL;
    IF current_setting('server_version_num')::int >= 150000 THEN
        FOR v_row IN SELECT parname, unnest(ARRAY(SELECT r.rolname::text FROM pg_roles AS r WHERE r.rolname = ANY (v_ours)) || 'public'::text) AS rolname FROM pg_parameter_acl LOOP
            EXECUTE format('REVOKE ALL ON PARAMETER %s FROM %s', v_row.parname, v_row.rolname);
        END LOOP;
    END IF;
END
$$
