-- The types of the parameters of the statement that is prepared as `planned`.
SELECT ARRAY(SELECT pg_catalog.format_type(t.type::pg_catalog.oid, NULL)
             FROM pg_catalog.unnest(p.parameter_types) WITH ORDINALITY AS t (type, position)
             ORDER BY t.position) AS parameters
FROM pg_catalog.pg_prepared_statements AS p
WHERE p.name OPERATOR(pg_catalog.=) 'planned'
