-- A fragment, a condition. It needs nothing of the statement around it.
-- It divides by zero at the first row for which it is computed, which is after the policies: it is not leakproof. random() keeps it from being computed once for all rows. It names no column, so that policies for reading do not hold.
-- It runs under the search path of the application.
1 OPERATOR(pg_catalog./) (pg_catalog.random() OPERATOR(pg_catalog.*) 0)::pg_catalog.int4 OPERATOR(pg_catalog.=) 1
