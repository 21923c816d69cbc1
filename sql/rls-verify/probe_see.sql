-- Those of the rows $1 that can be seen; only their number is asked for.
-- It runs under the search path of the application.
SELECT FROM :only :"target" AS t WHERE :given
