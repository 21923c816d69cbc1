-- Lets a backfill fill the tenant column of rows that have none, with the tenant whose scope is set.
CREATE POLICY :"policy" ON :"table" FOR UPDATE TO :"role"
    USING (:"column" IS NULL)
    WITH CHECK (:"column"::text = :current)
