-- How long reading the row at :'place' of :"table" takes where it is shown under :condition.
EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, FORMAT JSON)
SELECT FROM :"table" WHERE ctid = :'place'::tid AND :condition
