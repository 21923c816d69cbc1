-- A fragment, an expression. It needs a `value`, which is a text.
-- The number that a text is, as a server writes it: `007` is not 7. NULL where it is none, or one that no bigint can be.
-- It runs under the search path of the application.
CASE WHEN (:value::pg_catalog.text COLLATE pg_catalog."C") OPERATOR(pg_catalog.~) '^(0|-?[1-9][0-9]{0,18})$'
     THEN CASE WHEN :value::pg_catalog.text::pg_catalog."numeric" OPERATOR(pg_catalog.>=) '-9223372036854775808'::pg_catalog."numeric"
                AND :value::pg_catalog.text::pg_catalog."numeric" OPERATOR(pg_catalog.<=) '9223372036854775807'::pg_catalog."numeric"
               THEN :value::pg_catalog.text::pg_catalog.int8 END END
