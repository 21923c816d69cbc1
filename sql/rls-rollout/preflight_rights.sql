-- What this login lacks for a rollout: CREATE in the schemas $1, the making of the roles $2 or the right to act as them, and, of the tenant
-- table $4 in schema $3, a reference to its key $5 and the right to grant.
WITH login AS (
    SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user
)
SELECT ARRAY(SELECT n.nspname::text FROM pg_namespace AS n WHERE n.nspname = ANY ($1) AND NOT has_schema_privilege(n.oid, 'CREATE') ORDER BY 1) AS closed_schemas,
       ARRAY(SELECT wanted.name
             FROM unnest($2::text[]) AS wanted (name)
             LEFT JOIN pg_roles AS r ON r.rolname = wanted.name
             CROSS JOIN login
             WHERE NOT login.rolsuper
               AND CASE WHEN r.oid IS NULL THEN NOT login.rolcreaterole
                        -- From 16 on CREATEROLE alone grants no membership.
                        ELSE NOT (pg_has_role(r.oid, 'MEMBER') OR pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')
                                  OR login.rolcreaterole AND current_setting('server_version_num')::int < 160000) END) AS unreachable_roles,
       coalesce((SELECT has_column_privilege(c.oid, a.attnum, 'REFERENCES')
                 FROM pg_class AS c
                 JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = $3
                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $5 AND NOT a.attisdropped
                 WHERE c.relname = $4), false) AS may_reference,
       coalesce((SELECT has_column_privilege(c.oid, a.attnum, 'SELECT WITH GRANT OPTION')
                 FROM pg_class AS c
                 JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = $3
                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $5 AND NOT a.attisdropped
                 WHERE c.relname = $4), false) AS may_grant
