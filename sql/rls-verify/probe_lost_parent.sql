-- Whether a row of the tenant $1 references a row that this tenant does not see.
-- It runs under the search path of the application.
SELECT EXISTS (
    SELECT FROM :"child" AS c
    WHERE c.:"tenant"::pg_catalog.text OPERATOR(pg_catalog.=) $1 AND :filled
      AND NOT EXISTS (SELECT FROM :"parent" AS p WHERE :keys)) AS crosses
