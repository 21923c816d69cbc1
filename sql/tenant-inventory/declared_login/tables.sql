-- The tables $2 in the schemas $1 that are there: their columns, whether this login may grant rights on them, and which schema and sequences the
-- role $3 lacks for them. A role that is yet to be made has what everybody has. And whether the login $4 reads or writes rows there.
SELECT t.position, c.relowner::regrole::text AS owner, pg_has_role(current_user, c.relowner, 'USAGE') AS may_grant,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
       NOT has_schema_privilege(coalesce(r.rolname, 'public'), n.oid, 'USAGE') AS closed_schema,
       EXISTS (SELECT FROM pg_roles AS app WHERE app.rolname = $4 AND has_schema_privilege(app.oid, n.oid, 'USAGE')
               AND (has_any_column_privilege(app.oid, c.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(app.oid, c.oid, 'DELETE'))) AS open_to_app,
       -- An identity column needs no right on its sequence.
       (SELECT coalesce(json_agg(json_build_array(sn.nspname, s.relname) ORDER BY sn.nspname, s.relname), '[]')
        FROM pg_depend AS d
        JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'a'
          -- The server may ask this of any relation first.
          AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(coalesce(r.rolname, 'public'), s.oid, 'USAGE') END) AS closed_sequences
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (schema, name, position)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'p')
LEFT JOIN pg_roles AS r ON r.rolname = $3
