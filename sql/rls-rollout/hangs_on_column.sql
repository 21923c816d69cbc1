-- What depends on column $3 of table $2 in schema $1 and would go with it: what it is, its name, and how the server describes it. The constraint
-- of NOT NULL, which the column has since 18, is a part of it.
SELECT d.classid::regclass::text AS kind,
       coalesce(i.relname, k.conname, p.polname, '')::text AS name,
       pg_describe_object(d.classid, d.objid, d.objsubid) AS says
FROM pg_namespace AS n
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $2
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $3 AND NOT a.attisdropped
JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype IN ('n', 'a')
LEFT JOIN pg_class AS i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid
LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
WHERE n.nspname = $1 AND k.contype IS DISTINCT FROM 'n'
ORDER BY 3
