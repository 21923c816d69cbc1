-- The email of a user with as many memberships as anyone has, each time the same, whose default tenant is one of the ids $1.
SELECT u.email
FROM :"memberships" AS m
JOIN :"users" AS u ON u.id = m."userId"
WHERE (SELECT count(*) FROM :"users" AS other WHERE other.email = u.email) = 1
GROUP BY u.id, u.email
HAVING bool_or(m."isDefault" AND m.:"tenant"::text = ANY ($1))
ORDER BY count(*) DESC, u.id
LIMIT 1
