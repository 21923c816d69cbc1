-- The email of a user with as many memberships as anyone has, each time the same, whose default tenant is one of the ids $1.
-- It runs under the search path of the application.
SELECT u.email
FROM :"memberships" AS m
JOIN :"users" AS u ON u.id OPERATOR(pg_catalog.=) m."userId"
WHERE (SELECT pg_catalog.count(*) FROM :"users" AS other WHERE other.email OPERATOR(pg_catalog.=) u.email) OPERATOR(pg_catalog.=) 1
GROUP BY u.id, u.email
HAVING pg_catalog.bool_or(m."isDefault" AND m.:"tenant"::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1))
ORDER BY pg_catalog.count(*) DESC, u.id
LIMIT 1
