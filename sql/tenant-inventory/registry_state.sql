-- What the relation $2 in schema $1 is; no row where there is none.
SELECT c.relkind::text AS relkind, c.relrowsecurity AS row_security
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
