-- Which of the roles $1 can make functions and tables of their own, if only temporary ones; which of them can make permanent tables; and which
-- have rights in the book-keeping beside those on its tables: to make something there, or to execute a function.
SELECT (SELECT role.name FROM unnest($1::text[]) WITH ORDINALITY AS role (name, position)
        WHERE has_database_privilege(role.name, current_database(), 'TEMP') OR has_database_privilege(role.name, current_database(), 'CREATE')
           OR EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname !~ '^pg_' AND has_schema_privilege(role.name, n.oid, 'CREATE'))
        ORDER BY role.position LIMIT 1) AS makes_anything,
       (SELECT role.name FROM unnest($1::text[]) WITH ORDINALITY AS role (name, position)
        WHERE has_database_privilege(role.name, current_database(), 'CREATE')
           OR EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname !~ '^pg_' AND has_schema_privilege(role.name, n.oid, 'CREATE'))
        ORDER BY role.position LIMIT 1) AS makes_tables,
       (SELECT role.name FROM unnest($1::text[]) WITH ORDINALITY AS role (name, position)
        WHERE EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = 'tenant_ops' AND has_schema_privilege(role.name, n.oid, 'CREATE'))
        ORDER BY role.position LIMIT 1) AS makes_in_ops,
       (SELECT json_build_object('id', n.oid::bigint, 'owner', n.nspowner::bigint) FROM pg_namespace AS n WHERE n.nspname = 'tenant_ops') AS ops,
       ARRAY(SELECT quote_ident(n.nspname) FROM pg_namespace AS n
             WHERE n.nspname !~ '^pg_'
               AND EXISTS (SELECT FROM unnest($1::text[]) AS role (name) WHERE has_schema_privilege(role.name, n.oid, 'CREATE')) ORDER BY 1) AS makes_in,
       coalesce((SELECT json_agg(json_build_object('id', p.oid::bigint, 'owner', p.proowner::bigint, 'signature', p.oid::regprocedure::text, 'role', role.name)
                                 ORDER BY p.oid::regprocedure::text, role.position)
        FROM pg_proc AS p
        JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname = 'tenant_ops'
        CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS role (name, position)
        WHERE p.proname <> 'observe' AND has_schema_privilege(role.name, n.oid, 'USAGE') AND has_function_privilege(role.name, p.oid, 'EXECUTE')),
        '[]') AS ops_functions
