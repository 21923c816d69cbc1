-- Ways past the policies of the tables $2 in the schemas $1: views that read as their owner, materialized views, which have no policies, and
-- SECURITY DEFINER functions whose text names one of the tables.
WITH target AS (
    SELECT c.oid, c.relname, format('%s.%s', n.nspname, c.relname) AS name
    FROM unnest($1::text[], $2::text[]) AS t (schema, name)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
)
SELECT CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind, format('%s.%s', n.nspname, v.relname) AS name,
       pg_get_userbyid(v.relowner)::text AS owner, string_agg(DISTINCT t.name, ', ' ORDER BY t.name) AS tables
FROM target AS t
JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite AS r ON r.oid = d.objid
JOIN pg_class AS v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
JOIN pg_namespace AS n ON n.oid = v.relnamespace
WHERE v.relkind = 'm' OR NOT coalesce(v.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes'], false)
GROUP BY 1, 2, 3
UNION ALL
SELECT 'SECURITY DEFINER function', format('%s.%s', n.nspname, p.proname), pg_get_userbyid(p.proowner)::text,
       string_agg(DISTINCT t.name, ', ' ORDER BY t.name)
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
JOIN target AS t ON p.prosrc ~ ('\m' || regexp_replace(t.relname, '([^[:alnum:]_])', '\\\1', 'g') || '\M')
WHERE p.prosecdef
GROUP BY 1, 2, 3
ORDER BY 1, 2
