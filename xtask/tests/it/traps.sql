-- A trap for every name: in the schema public a function of each name and signature that pg_catalog has, the same for varchar and name in
-- the place of text, operators between all usual types, and some aggregates. They return nothing, and the server counts their calls. What
-- cannot be made so (pseudo-types, C alone) is left out.
DO $do$
DECLARE
    v_function record;
    v_type text;
    v_types text[] := ARRAY['text', 'varchar', 'bpchar', 'name', '"char"', 'int2', 'int4', 'int8', 'oid', 'regclass', 'uuid', 'bool', 'jsonb',
                            'json', 'timestamptz', 'interval', 'tid', 'text[]', 'int8[]', 'float8', 'numeric'];
    v_left text;
    v_right text;
    v_operator text;
BEGIN
    FOR v_function IN
        SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result, p.prokind AS kind,
               p.proretset OR p.proargmodes IS NOT NULL AS by_names,
               (SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.nth) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, nth)) AS types
        FROM pg_proc AS p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
    LOOP
        FOREACH v_type IN ARRAY ARRAY['text', 'character varying', 'name'] LOOP
            BEGIN
                EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', v_function.name,
                               CASE v_type WHEN 'text' THEN v_function.arguments
                                           ELSE regexp_replace(v_function.types, '\mtext\M', v_type, 'g') END,
                               v_function.result, CASE WHEN v_function.by_names THEN 'BEGIN RETURN; END' ELSE 'BEGIN RETURN NULL; END' END);
            EXCEPTION WHEN OTHERS THEN
                NULL;
            END;
        END LOOP;
    END LOOP;
    FOREACH v_left IN ARRAY v_types LOOP
        FOREACH v_right IN ARRAY v_types LOOP
            EXECUTE format('CREATE FUNCTION public.trap(%s, %s) RETURNS bool LANGUAGE plpgsql AS %L', v_left, v_right, 'BEGIN RETURN NULL; END');
            EXECUTE format('CREATE FUNCTION public.trap_text(%s, %s) RETURNS text LANGUAGE plpgsql AS %L', v_left, v_right,
                           'BEGIN RETURN NULL; END');
            FOREACH v_operator IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~', '!~', '&&', '@>', '||', '->', '->>', '+', '-', '*']
            LOOP
                EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.%I)', v_operator, v_left, v_right,
                               CASE WHEN v_operator IN ('||', '->', '->>') THEN 'trap_text' ELSE 'trap' END);
            END LOOP;
        END LOOP;
    END LOOP;
    -- What an aggregate itself calls is not counted.
    CREATE FUNCTION public.trap_called() RETURNS void LANGUAGE plpgsql AS 'BEGIN RETURN; END';
    CREATE FUNCTION public.trap_count(int8) RETURNS int8 LANGUAGE plpgsql AS 'BEGIN PERFORM public.trap_called(); RETURN 0; END';
    CREATE AGGREGATE public.count(*) (SFUNC = public.trap_count, STYPE = int8, INITCOND = '0');
    CREATE FUNCTION public.trap_largest(text, text) RETURNS text LANGUAGE plpgsql
        AS 'BEGIN PERFORM public.trap_called(); RETURN NULL; END';
    CREATE AGGREGATE public.max(text) (SFUNC = public.trap_largest, STYPE = text);
    CREATE AGGREGATE public.min(text) (SFUNC = public.trap_largest, STYPE = text);
END
$do$;
