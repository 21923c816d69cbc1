-- Inserts a copy of the row $1, of the columns that sign-in may both read and insert. Its key is taken, so at the latest that refuses it.
-- It runs under the search path of the application.
INSERT INTO :"target" (:columns)
SELECT :values FROM :only :"target" AS t WHERE :given
