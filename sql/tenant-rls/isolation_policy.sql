-- What every role sees and writes of a table, the owner too once it is forced.
CREATE POLICY :"policy" ON :"table" AS PERMISSIVE FOR ALL TO PUBLIC USING (:using) WITH CHECK (:check)
