-- The roles of the server, with on how many of the tables ($1 schemas, $2 names) each may change rows.
SELECT r.rolname::text AS name,
       r.rolcanlogin AS may_log_in,
       r.rolsuper OR r.rolbypassrls AS unfiltered,
       EXISTS (SELECT FROM pg_class AS c
               JOIN pg_namespace AS s ON s.oid = c.relnamespace
               JOIN unnest($1::text[], $2::text[]) AS w (schema, name) ON w.schema = s.nspname AND w.name = c.relname
               WHERE pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owns,
       (SELECT count(*)
        FROM pg_class AS c
        JOIN pg_namespace AS s ON s.oid = c.relnamespace
        JOIN unnest($1::text[], $2::text[]) AS w (schema, name) ON w.schema = s.nspname AND w.name = c.relname
        WHERE has_table_privilege(r.oid, c.oid, 'SELECT') AND has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE')) AS changes
FROM pg_roles AS r
WHERE r.rolname !~ '^pg_'
ORDER BY 1
