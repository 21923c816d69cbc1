-- Rows without a tenant that would break a unique index with the one that they are to get: two of them, or one beside a row that has a tenant. All of such a group
-- are named, as nobody knows which of them is the right one.
WITH decided AS (
    SELECT row_key, :passed, :decision AS assigned
    FROM (SELECT l.row_key, :passed, :tenants
          FROM (SELECT :rows
                FROM (SELECT :key_text AS row_key, :columns, :vias FROM :whole AS t WHERE :open) AS l) AS l
          :joins) AS resolved
), given AS (
    -- The expressions of an index name columns of the table, whose names may be those of ours: they stand where there are no others.
    SELECT decided.row_key, compared.*
    FROM decided
    CROSS JOIN LATERAL (SELECT :keys FROM (SELECT :named) AS given WHERE :predicate) AS compared
    WHERE :assigned
), alike AS (
    SELECT given.*, pg_catalog.count(*) OVER (PARTITION BY :key_names) AS number
    FROM given
    WHERE :comparable
)
SELECT row_key, ARRAY[:key_texts] AS key_values, pg_catalog.count(*) OVER () AS total
FROM alike
WHERE number OPERATOR(pg_catalog.>) 1
   OR EXISTS (SELECT
              FROM (SELECT :keys FROM (SELECT :own FROM :whole WHERE :"column" IS NOT NULL) AS stored WHERE :predicate) AS x
              WHERE :equal)
ORDER BY row_key
LIMIT $1
