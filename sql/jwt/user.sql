-- The user with the id $1.
SELECT id::text, :"tenant"::text, email, name, image, role::text, "sessionVersion" FROM :"users" WHERE id::text = $1
