-- A fragment, an expression. It needs a `value`, which is a text.
-- The uuid that a text is; NULL where it is none. The collation of a column may be one that no pattern can be compared under.
-- It runs under the search path of the application.
CASE WHEN (:value::pg_catalog.text COLLATE pg_catalog."C") OPERATOR(pg_catalog.~) '^([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}$'
     THEN :value::pg_catalog.text::pg_catalog.uuid END
