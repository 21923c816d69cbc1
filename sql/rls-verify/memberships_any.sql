-- Any row with a user, or of another table with a tenant; only the number of rows is asked for.
SELECT FROM :"target" AS t WHERE t.:"user" IS NOT NULL LIMIT 1
