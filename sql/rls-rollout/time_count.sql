-- How long counting the rows of :"table" takes that are shown under :condition.
EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, FORMAT JSON)
SELECT count(*) FROM :"table" WHERE :condition
