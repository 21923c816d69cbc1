-- The event trigger of our name: who owns it, whether it fires in ordinary sessions, whether it is made as we make it and calls our function,
-- and the rules by which that decides. No row where there is none.
SELECT pg_get_userbyid(e.evtowner)::text AS owner,
       e.evtenabled IN ('O', 'A') AS enabled,
       n.nspname = 'tenant_ops' AND p.proname = 'born_closed' AND NOT p.prosecdef AND e.evtevent = 'ddl_command_end'
           AND e.evttags @> '{CREATE TABLE,CREATE TABLE AS,SELECT INTO,ALTER TABLE,CREATE SCHEMA}'
           AND 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig) AS ours,
       (SELECT substr(setting, length('tenant_ops.born_closed=') + 1) FROM unnest(p.proconfig) AS setting
        WHERE starts_with(setting, 'tenant_ops.born_closed=')) AS rules
FROM pg_event_trigger AS e
JOIN pg_proc AS p ON p.oid = e.evtfoid
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE e.evtname = 'tenant_born_closed'
