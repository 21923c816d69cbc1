-- Sets the session variable to the document of the tenant $2, and then writes the tenant's rows. It is one command of `apply_batch`, which has set
-- the variable to the tenant's id before.
-- It runs under the search path of the application.
SELECT pg_catalog.set_config(:'variable', :value, true);
:write
