-- Changes the row $1 into what it is: the columns that sign-in may both read and change.
-- It runs under the search path of the application.
UPDATE :only :"target" AS t SET :changes WHERE :given
