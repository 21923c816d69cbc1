-- The event trigger of our name: who owns it, whether it fires in ordinary sessions, whether it is made as we make it and calls our function, whether
-- the body of that is $1, and the rules by which it decides. No row where there is none.
SELECT pg_get_userbyid(e.evtowner)::text AS owner,
       e.evtenabled IN ('O', 'A') AS enabled,
       p.prosrc = $1 AS this_version,
       coalesce(n.nspname = 'tenant_ops' AND p.proname = 'born_closed' AND NOT p.prosecdef AND e.evtevent = 'ddl_command_end'
           AND e.evttags @> '{CREATE TABLE,CREATE TABLE AS,SELECT INTO,ALTER TABLE,CREATE SCHEMA}'
           AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp'], false) AS ours,
       obj_description(p.oid, 'pg_proc') AS rules
FROM pg_event_trigger AS e
JOIN pg_proc AS p ON p.oid = e.evtfoid
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE e.evtname = 'tenant_born_closed'
