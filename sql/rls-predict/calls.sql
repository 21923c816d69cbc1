-- The functions $1 and the operators $2, by their oids: what they are called, and whether they are leakproof.
SELECT 'function' AS kind, p.oid::bigint AS called, p.proname::text AS name, p.proleakproof AS leakproof
FROM pg_proc AS p
WHERE p.oid = ANY ($1::bigint[]::oid[])
UNION ALL
SELECT 'operator', o.oid::bigint, o.oprname::text, p.proleakproof
FROM pg_operator AS o
JOIN pg_proc AS p ON p.oid = o.oprcode
WHERE o.oid = ANY ($2::bigint[]::oid[])
