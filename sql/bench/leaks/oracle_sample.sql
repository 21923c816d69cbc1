-- A row of the other tenant, as JSON, with a key that is still free.
SELECT (to_jsonb(r) || CASE jsonb_typeof(to_jsonb(r) -> 'id')
            WHEN 'string' THEN jsonb_build_object('id', 'tried by the oracle') WHEN 'number' THEN jsonb_build_object('id', 987654) ELSE '{}' END)::text AS sample
FROM :"table" AS r WHERE r.:"column" = :'tenant' LIMIT 1
