-- A fragment, an expression. It needs gen_random_uuid(), which every server has from PostgreSQL 13 on.
-- A random id as long as a cuid.
-- It runs under the search path of the application.
pg_catalog.concat('c', pg_catalog.left(pg_catalog.replace(pg_catalog.gen_random_uuid()::pg_catalog.text, '-', ''), 24))
