-- Who is to own the book-keeping: this role, or, where it is a superuser, the owner of the tenant table $1.$2, who goes on with it. The
-- application's login $3 never is.
SELECT coalesce((SELECT owner.rolname FROM pg_class AS c
                 JOIN pg_namespace AS n ON n.oid = c.relnamespace
                 JOIN pg_roles AS owner ON owner.oid = c.relowner
                 WHERE n.nspname = $1 AND c.relname = $2 AND owner.rolname <> $3
                   AND (SELECT own.rolsuper FROM pg_roles AS own WHERE own.rolname = current_user)),
                current_user)::text AS owner
