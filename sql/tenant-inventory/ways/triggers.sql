-- Triggers that fire, and the functions that they call; a trigger without a table fires when somebody changes a definition.
SELECT t.oid::bigint AS id, t.tgname::text AS name, quote_ident(t.tgname) AS printed, t.tgrelid::bigint AS relation, t.tgfoid::bigint AS function, t.tgtype::int AS events
FROM pg_trigger AS t
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
UNION ALL
SELECT e.oid::bigint, e.evtname::text, quote_ident(e.evtname), NULL, e.evtfoid::bigint, 0
FROM pg_event_trigger AS e
WHERE e.evtenabled <> 'D'
ORDER BY 2, 1
