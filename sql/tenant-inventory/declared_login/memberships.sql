-- The table $2 in the schema $1, with its column $3, and whether there is the application's login $4.
SELECT c.relowner::regrole::text AS owner, pg_has_role(current_user, c.relowner, 'USAGE') AS may_alter,
       quote_ident(a.attname) AS printed_column, format_type(a.atttypid, a.atttypmod) AS type_name,
       EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = $4) AS app_exists
FROM pg_namespace AS n
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $2 AND c.relkind IN ('r', 'p')
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1
