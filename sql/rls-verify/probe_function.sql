-- Whether the SECURITY DEFINER functions of the name $1 are called by triggers only, and the first of the roles $2 that may call one of
-- them, if any.
WITH named AS (
    SELECT p.oid, p.pronamespace, p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype) AS fires
    FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.prosecdef AND format('%s.%s', n.nspname, p.proname) = $1
)
SELECT (SELECT coalesce(bool_and(fires), false) FROM named) AS only_triggers,
       (SELECT role.name
        FROM unnest($2::text[]) WITH ORDINALITY AS role (name, position)
        WHERE EXISTS (SELECT FROM named WHERE has_schema_privilege(role.name, pronamespace, 'USAGE') AND has_function_privilege(role.name, oid, 'EXECUTE'))
        ORDER BY role.position
        LIMIT 1) AS caller
