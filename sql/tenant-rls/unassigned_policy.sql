-- Shows every role the rows without a tenant. It lets nobody write them: a policy that did would let a tenant claim or delete them.
CREATE POLICY :"policy" ON :"table" AS PERMISSIVE FOR SELECT TO PUBLIC USING (:none)
