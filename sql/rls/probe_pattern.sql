-- The row $1 as a JSON object, for copies of it.
SELECT to_jsonb(t) FROM ONLY :"target" AS t WHERE t.:"key" = $1::text:::key_type
