-- Shows the application's login the memberships of the user whose id is set. It lets nobody write them.
CREATE POLICY :"policy" ON :"table" AS PERMISSIVE FOR SELECT TO :"role" USING (:"column" = :current)
