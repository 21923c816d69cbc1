-- What refers to a relation or a function, as pg_depend knows it: rules (of views too), BEGIN ATOMIC bodies and aggregates, defaults, checks,
-- policies and indexes. `operator`, `cast` and `domain` are called without their function's name.
WITH reference AS (
    SELECT DISTINCT d.classid, d.objid, d.refclassid, d.refobjid
    FROM pg_depend AS d
    WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass) AND d.deptype IN ('n', 'a', 'i')
      AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass,
                        'pg_class'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass)
)
SELECT source.kind, source.id, source.relation, source.name, source.event,
       r.refclassid = 'pg_proc'::regclass AS to_function, r.refobjid::bigint AS target
FROM reference AS r
CROSS JOIN LATERAL (
    SELECT CASE WHEN w.ev_type = '1' AND w.rulename = '_RETURN' THEN 'view' ELSE 'rule' END AS kind, w.oid::bigint AS id,
           w.ev_class::bigint AS relation, w.rulename::text AS name, w.ev_type::text AS event
    FROM pg_rewrite AS w WHERE r.classid = 'pg_rewrite'::regclass AND w.oid = r.objid AND w.ev_enabled <> 'D'
    UNION ALL
    SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END, p.oid::bigint, NULL, p.proname::text, NULL
    FROM pg_proc AS p WHERE r.classid = 'pg_proc'::regclass AND p.oid = r.objid
    UNION ALL
    SELECT 'default', a.oid::bigint, a.adrelid::bigint, NULL, NULL
    FROM pg_attrdef AS a WHERE r.classid = 'pg_attrdef'::regclass AND a.oid = r.objid
    UNION ALL
    SELECT CASE WHEN k.conrelid = 0 THEN 'domain' ELSE 'check' END, k.oid::bigint, nullif(k.conrelid, 0)::bigint, k.conname::text, NULL
    FROM pg_constraint AS k WHERE r.classid = 'pg_constraint'::regclass AND k.oid = r.objid AND k.contype IN ('c', 'x')
    UNION ALL
    SELECT 'policy', p.oid::bigint, p.polrelid::bigint, p.polname::text, NULL
    FROM pg_policy AS p WHERE r.classid = 'pg_policy'::regclass AND p.oid = r.objid
    UNION ALL
    SELECT 'index', i.indexrelid::bigint, i.indrelid::bigint, NULL, NULL
    FROM pg_index AS i WHERE r.classid = 'pg_class'::regclass AND i.indexrelid = r.objid
    UNION ALL
    SELECT 'operator', o.oid::bigint, NULL, o.oprname::text, NULL
    FROM pg_operator AS o WHERE r.classid = 'pg_operator'::regclass AND o.oid = r.objid
    UNION ALL
    SELECT 'cast', k.oid::bigint, NULL, NULL, NULL FROM pg_cast AS k WHERE r.classid = 'pg_cast'::regclass AND k.oid = r.objid
) AS source
WHERE r.refclassid = 'pg_proc'::regclass OR r.refobjid <> coalesce(source.relation, 0)
ORDER BY 1, 2, 7
