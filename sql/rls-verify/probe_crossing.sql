-- Whether a row of one tenant references a row of another by a foreign key. NULL and '' name no tenant.
-- It runs under the search path of the application.
SELECT EXISTS (
    SELECT FROM :"child" AS c
    JOIN :"parent" AS p ON :keys
    WHERE c.:"tenant"::pg_catalog.text OPERATOR(pg_catalog.<>) p.:"parent_tenant"::pg_catalog.text
      AND c.:"tenant"::pg_catalog.text OPERATOR(pg_catalog.<>) '' AND p.:"parent_tenant"::pg_catalog.text OPERATOR(pg_catalog.<>) '') AS crosses
