-- What each of the roles $1 may do with each table, view or sequence that is not the server's own, where that is anything; a right on a
-- column counts.
SELECT c.oid::bigint AS id, role.name AS role, has_schema_privilege(role.name, n.oid, 'USAGE') AS in_sight,
       held.selects, held.inserts, held.updates, held.deletes, held.truncates, held.triggers, held.refers
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS role (name, position)
CROSS JOIN LATERAL (
    SELECT has_any_column_privilege(role.name, c.oid, 'SELECT') AS selects,
           has_any_column_privilege(role.name, c.oid, 'INSERT') AS inserts,
           has_any_column_privilege(role.name, c.oid, 'UPDATE') AS updates,
           has_table_privilege(role.name, c.oid, 'DELETE') AS deletes,
           has_table_privilege(role.name, c.oid, 'TRUNCATE') AS truncates,
           has_table_privilege(role.name, c.oid, 'TRIGGER') AS triggers,
           has_any_column_privilege(role.name, c.oid, 'REFERENCES') AS refers
) AS held
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND (c.oid >= 16384 OR n.nspname <> 'information_schema')
  AND (held.selects OR held.inserts OR held.updates OR held.deletes OR held.truncates OR held.triggers OR held.refers)
ORDER BY c.oid, role.position
