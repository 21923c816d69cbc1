-- What else tenancy.toml can name: schemas, roles, views, functions by their signature, and the triggers, rules and policies of each table, a policy
-- with its conditions.
SELECT 'schema' AS kind, NULL::text AS schema, NULL::text AS relation, nspname::text AS name, NULL::text AS condition FROM pg_namespace
UNION ALL
SELECT 'role', NULL, NULL, rolname::text, NULL FROM pg_roles
UNION ALL
SELECT 'view', n.nspname::text, NULL, c.relname::text, NULL
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm')
UNION ALL
SELECT 'trigger', n.nspname::text, c.relname::text, t.tgname::text, NULL
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule', n.nspname::text, c.relname::text, r.rulename::text, NULL
FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.ev_type = '2'
UNION ALL
SELECT 'function', NULL, NULL, p.oid::regprocedure::text, NULL
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('information_schema', 'tenant_ops') AND n.nspname !~ '^pg_'
UNION ALL
-- A review is of a rule of any kind, but for those that make a view what it is.
SELECT 'any_rule', n.nspname::text, c.relname::text, r.rulename::text, NULL
FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.ev_type <> '1'
UNION ALL
SELECT 'policy', n.nspname::text, c.relname::text, p.polname::text,
       concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
