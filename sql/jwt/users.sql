-- The users whose email is $1, also in other capitals: those are a hint for whoever mistyped it.
SELECT id::text, :"tenant"::text, email, name, image, role::text, "sessionVersion"
FROM :"users"
WHERE lower(email) = lower($1)
ORDER BY id
