-- The schemas $1, each with its owner. The role pg_database_owner stands for the owner of the database.
SELECT n.nspname::text AS name,
       quote_ident(n.nspname) AS printed,
       (CASE WHEN pg_get_userbyid(n.nspowner) = 'pg_database_owner' THEN d.datdba ELSE n.nspowner END)::bigint AS owner
FROM pg_namespace AS n
JOIN pg_database AS d ON d.datname = current_database()
WHERE n.nspname = ANY ($1::text[])
ORDER BY 1
