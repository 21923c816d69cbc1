-- Those of the rows $1 that can be seen; only their number is asked for.
SELECT FROM :only :"target" AS t WHERE :given
