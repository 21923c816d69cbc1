-- Slugs to suggest from when a tenant was not found; bounded, as it only serves a hint.
SELECT :"slug"::text FROM :"tenants" WHERE :"slug" IS NOT NULL LIMIT 10000
