-- The tenants whose id or slug is $1: two rows where an id is another tenant's slug.
SELECT :"key"::text, :"slug"::text, :"name"::text
FROM :"tenants"
WHERE :"key"::text = $1 OR :"slug"::text = $1
