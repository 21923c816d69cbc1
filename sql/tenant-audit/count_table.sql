-- Everything that the audit counts of one table, in one scan. No join multiplies rows: tenants are distinct, and what a
-- foreign key references is unique.
-- It runs under the search path of the application.
SELECT pg_catalog.count(*) AS rows,
       :nulls AS null_rows,
       :empties AS empty_rows,
       :ghosts AS ghost_rows,
       ARRAY[:crossings]::bigint[] AS crossing_rows
FROM :only :"table" AS t
:joins
