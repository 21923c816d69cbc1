-- Of the functions $1 and the operators $2, by their names: whether all of that name are leakproof, and whether the planner derives conditions for
-- indexes from one that is not.
SELECT 'function' AS kind, p.proname::text AS name, bool_and(p.proleakproof) AS leakproof,
       bool_or(p.prosupport <> 0 AND NOT p.proleakproof) AS derives
FROM pg_proc AS p
WHERE p.proname = ANY ($1::text[])
GROUP BY p.proname
UNION ALL
SELECT 'operator', o.oprname::text, bool_and(p.proleakproof), bool_or(p.prosupport <> 0 AND NOT p.proleakproof)
FROM pg_operator AS o
JOIN pg_proc AS p ON p.oid = o.oprcode
WHERE o.oprname = ANY ($2::text[])
GROUP BY o.oprname
