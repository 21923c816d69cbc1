-- The rows $1 as JSON objects, for copies of them.
SELECT pg_catalog.to_jsonb(t) FROM :only :"target" AS t WHERE :given
