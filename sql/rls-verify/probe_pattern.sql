-- The rows $1 as JSON objects, for copies of them.
-- It runs under the search path of the application.
SELECT pg_catalog.to_jsonb(t) FROM :only :"target" AS t WHERE :given
