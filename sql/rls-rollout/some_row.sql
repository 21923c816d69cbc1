-- The place of any row of :"table", as text.
SELECT ctid::text AS place FROM :"table" LIMIT 1
