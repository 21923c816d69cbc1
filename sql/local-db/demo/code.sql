-- Code in the schema public that the seed, a superuser's statements, could run: functions and operators that no extension brought, and
-- triggers and rules that fire although it loads as a replica does. The first of it, by kind and name.
SELECT found.kind || ' ' || found.name AS code
FROM (SELECT 'function' AS kind, p.oid::regprocedure::text AS name
      FROM pg_proc AS p
      WHERE p.pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
      UNION ALL
      SELECT 'operator', o.oid::regoperator::text
      FROM pg_operator AS o
      WHERE o.oprnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e')
      UNION ALL
      SELECT 'trigger', format('%I on %s', t.tgname, t.tgrelid::regclass)
      FROM pg_trigger AS t
      JOIN pg_class AS c ON c.oid = t.tgrelid AND c.relnamespace = 'public'::regnamespace
      WHERE NOT t.tgisinternal AND t.tgenabled IN ('A', 'R')
      UNION ALL
      SELECT 'rule', format('%I on %s', r.rulename, r.ev_class::regclass)
      FROM pg_rewrite AS r
      JOIN pg_class AS c ON c.oid = r.ev_class AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      WHERE r.ev_enabled IN ('A', 'R')) AS found
ORDER BY found.kind, found.name
LIMIT 1
