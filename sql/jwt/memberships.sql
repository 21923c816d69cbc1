-- The memberships of the users $1.
SELECT id::text, "userId"::text, :"tenant"::text, role::text, "isDefault" FROM :"memberships" WHERE "userId"::text = ANY ($1)
