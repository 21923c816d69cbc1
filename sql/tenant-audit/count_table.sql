-- Everything that the audit counts of one table, in one scan. No join multiplies rows: tenants are distinct, and what a
-- foreign key references is unique.
-- It runs under the search path of the application.
SELECT pg_catalog.count(*), :nulls, :empties, :ghosts, ARRAY[:crossings]::bigint[]
FROM :only :"table" AS t
:joins
