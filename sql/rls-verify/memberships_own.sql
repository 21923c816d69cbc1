-- Those of the rows $1 that are of the user $2 and can be seen; only their number is asked for.
SELECT FROM :only :"target" AS t WHERE :given AND t.:"user"::pg_catalog.text OPERATOR(pg_catalog.=) $2
