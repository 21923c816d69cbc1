-- The index that a key can rest on which references a row together with its tenant; built beside readers and writers.
CREATE UNIQUE INDEX CONCURRENTLY :"index" ON :"table" (:"column", :"key")
