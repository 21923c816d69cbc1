-- The next $2 tenants behind the one with the id $1, in the order of their ids.
SELECT :"key"::text, coalesce(:"slug"::text, ''), coalesce(:"name"::text, ''), :status
FROM :"tenants"
WHERE $1::text IS NULL OR :"key"::text COLLATE "C" > $1
ORDER BY :"key"::text COLLATE "C"
LIMIT $2
