-- How many of the rows $1 can be seen.
SELECT count(*) FROM ONLY :"target" AS t WHERE t.:"key" = ANY ($1::text[]:::key_type[])
