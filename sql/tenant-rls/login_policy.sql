-- Lets the login of sign-in do one thing with every row. current_user is compared as well, because a policy TO a role also applies to every role
-- that inherits it.
CREATE POLICY :"policy" ON :"table" FOR :command TO :"role" :clauses
