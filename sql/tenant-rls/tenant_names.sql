-- Names of tenants to suggest from when one was not found, slugs before ids; bounded, as it only serves a hint.
-- It runs under the search path of the application.
(SELECT :"slug"::pg_catalog.text FROM :"tenants" WHERE :"slug" IS NOT NULL LIMIT 10000)
UNION ALL
(SELECT :"key"::pg_catalog.text FROM :"tenants" LIMIT 10000)
