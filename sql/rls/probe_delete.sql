-- Deletes the rows $1.
DELETE FROM :only :"target" AS t WHERE :given
