-- Any row that is not of the user $1; only the number of rows is asked for.
SELECT FROM :"target" AS t WHERE NOT coalesce(t.:"user"::pg_catalog.text OPERATOR(pg_catalog.=) $1, false) LIMIT 1
