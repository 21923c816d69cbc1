-- The index that a policy's comparison uses; :how is CONCURRENTLY, so that it is built beside readers and writers, or empty in a trial.
CREATE INDEX :how :"index" ON :"table" (:"column")
