-- Up to $1 values of a column that says of which table another one is a key, as text, the most frequent first.
-- It runs under the search path of the application.
SELECT t.:"kind"::pg_catalog.text AS kind
FROM ONLY :"target" AS t
WHERE t.:"kind" IS NOT NULL
GROUP BY t.:"kind"::pg_catalog.text
ORDER BY pg_catalog.count(*) DESC, kind
LIMIT $1
