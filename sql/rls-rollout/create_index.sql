-- The index that a policy's comparison uses; built beside readers and writers.
CREATE INDEX CONCURRENTLY :"index" ON :"table" (:"column")
