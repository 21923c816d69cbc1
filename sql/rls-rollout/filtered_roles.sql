-- Those of the roles $1 that row level security filters where it is forced.
SELECT r.rolname::text FROM pg_roles AS r WHERE r.rolname = ANY ($1) AND NOT r.rolsuper AND NOT r.rolbypassrls ORDER BY 1
