-- Functions and procedures that can be called by name, each with its arguments: for a text the value that is tried, else NULL.
SELECT n.nspname::text AS schema, p.proname::text AS name, p.prokind = 'p' AS procedure,
       (SELECT coalesce(array_agg(t.typname::text ORDER BY a.at), '{}')
        FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, at) JOIN pg_type AS t ON t.oid = a.type) AS types
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
WHERE p.prokind IN ('f', 'p') AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
ORDER BY n.nspname, p.proname
