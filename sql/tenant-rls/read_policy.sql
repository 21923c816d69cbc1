-- Shows a role every row. current_user is compared as well, because a policy TO a role also applies to every role that inherits it.
CREATE POLICY :"policy" ON :"table" FOR SELECT TO :"role" USING (current_user = :'role_name')
