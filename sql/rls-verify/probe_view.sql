-- Whether a view shows a row of another tenant than $1.
-- It runs under the search path of the application.
SELECT EXISTS (SELECT FROM :"view" AS v WHERE v.:"column"::pg_catalog.text OPERATOR(pg_catalog.<>) $1) AS shown
