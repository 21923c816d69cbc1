-- A fragment, a condition. It needs nothing of the statement around it.
-- It divides by zero at the first row for which it is computed. It names no column, so that policies for reading do not hold, and random() keeps it
-- from being computed once for all rows. A condition without columns leaks nothing, and the planner may put it before a policy if it is cheap: beyond
-- ten operators it is not cheap, and stays behind.
-- It runs under the search path of the application.
1 OPERATOR(pg_catalog./)
    (pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random()
     OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.random()
     OPERATOR(pg_catalog.*) 0)::pg_catalog.int4 OPERATOR(pg_catalog.=) 1
